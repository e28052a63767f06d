/** A code for cameras, drawn as one path. Always dark on light: not every camera reads the reverse. */
import { useMemo } from 'react';
import { qrOf } from './qr.ts';

/** Light modules around it, as the standard wants. */
const MARGIN = 4;

export function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => {
    const rows = qrOf(text);
    const dark = rows.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x + MARGIN} ${y + MARGIN}h1v1h-1z`] : [])));
    return { size: rows.length + 2 * MARGIN, path: dark.join('') };
  }, [text]);
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      className="size-44 rounded-md bg-white"
    >
      <path d={path} fill="#000" />
    </svg>
  );
}
