/** Lines between messages: the day, and where the new ones begin. */
import { useEffect, useRef, useState } from 'react';
import { dayTitle, useNow } from '../time.ts';
import { cn } from '../ui/cn.ts';

const PILL = 'rounded-full px-3 py-1 text-xs font-semibold';

export function DayLine({ at }: { at: string }) {
  const now = useNow();
  return (
    <div className="flex justify-center pt-5 pb-1">
      <h3 className={cn(PILL, 'bg-sunken text-muted')}>{dayTitle(at, now)}</h3>
    </div>
  );
}

export function UnreadLine() {
  return (
    <div className="mx-auto flex max-w-240 items-center gap-3 px-4 pt-4 pb-1 md:px-6">
      <span aria-hidden className="h-px flex-1 bg-fresh/50" />
      <h3 className={cn(PILL, 'bg-fresh text-on-fresh')}>New</h3>
      <span aria-hidden className="h-px flex-1 bg-fresh/50" />
    </div>
  );
}

const LINGER_MS = 1_400;

/** The day of what is in view, while it moves. */
export function FloatingDay({ text }: { text: string | undefined }) {
  const [shown, setShown] = useState(false);
  const first = useRef(true);
  useEffect(() => {
    if (text === undefined) return;
    // Opening a conversation scrolls too, and nobody needs telling then.
    if (first.current) {
      first.current = false;
      return;
    }
    setShown(true);
    const timer = setTimeout(() => setShown(false), LINGER_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div
      aria-hidden
      className={cn(
        'pointer-events-none absolute inset-x-0 top-2 z-20 flex justify-center transition-opacity duration-300',
        shown ? 'opacity-100' : 'opacity-0',
      )}
    >
      <span className={cn(PILL, 'border border-line bg-raised text-muted shadow-low')}>{text}</span>
    </div>
  );
}
