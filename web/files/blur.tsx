/** What stands for a picture until it has come: its colours, from the few bytes inside the message. */
import { decode } from 'blurhash';
import { useLayoutEffect, useRef } from 'react';

/** Blown up by the browser, which smooths it. */
const SIDE = 24;

export function Blur({ hash }: { hash: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    try {
      const image = context.createImageData(SIDE, SIDE);
      image.data.set(decode(hash, SIDE, SIDE));
      context.putImageData(image, 0, 0);
    } catch {
      // Written by somebody else, and no blurhash: the place stays grey.
    }
  }, [hash]);
  return <canvas ref={canvas} width={SIDE} height={SIDE} aria-hidden className="absolute inset-0 size-full" />;
}
