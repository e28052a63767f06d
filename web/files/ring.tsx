/** How far something has come, as a ring around whatever stands in it. */
import type { ReactNode } from 'react';
import type { Progress } from '#client/types';

const RADIUS = 19;
const ROUND = 2 * Math.PI * RADIUS;

export function Ring({ progress, label, children }: { progress: Progress; label: string; children: ReactNode }) {
  const share = progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
  return (
    <span className="relative grid size-11 shrink-0 place-items-center">
      <svg
        viewBox="0 0 44 44"
        role="progressbar"
        aria-label={label}
        aria-valuenow={Math.round(share * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        className="absolute inset-0 size-full -rotate-90"
      >
        <circle cx="22" cy="22" r={RADIUS} fill="none" strokeWidth="3" className="stroke-ink/12" />
        <circle
          cx="22"
          cy="22"
          r={RADIUS}
          fill="none"
          strokeWidth="3"
          strokeLinecap="round"
          strokeDasharray={ROUND}
          strokeDashoffset={ROUND * (1 - share)}
          className="stroke-accent transition-[stroke-dashoffset] duration-200"
        />
      </svg>
      {children}
    </span>
  );
}
