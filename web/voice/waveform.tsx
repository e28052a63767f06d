/** Loudness over time as bars; what has been played stands out. */
import { cn } from '../ui/cn.ts';

const BARS = 40;

/** As many bars as there is room for, each as loud as the loudest of its share. */
export function barsOf(levels: readonly number[] | null): number[] {
  if (!levels || levels.length === 0) return Array.from({ length: BARS }, () => 12);
  return Array.from({ length: BARS }, (_, i) => {
    const from = Math.floor((i * levels.length) / BARS);
    const to = Math.max(from + 1, Math.floor(((i + 1) * levels.length) / BARS));
    return Math.max(...levels.slice(from, to));
  });
}

export function Waveform({ levels, share }: { levels: readonly number[] | null; share: number }) {
  return (
    <span aria-hidden className="flex h-8 flex-1 items-center gap-[2px]">
      {barsOf(levels).map((level, i) => (
        <span
          key={i}
          style={{ height: `${Math.max(10, level)}%` }}
          className={cn('min-w-0 flex-1 rounded-full', (i + 0.5) / BARS <= share ? 'bg-accent' : 'bg-ink/25')}
        />
      ))}
    </span>
  );
}
