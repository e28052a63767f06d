/** How long a password would hold out, as bars and in words. */
import { cn } from '../ui/cn.ts';
import { strengthOf } from './strength.ts';

const BARS = ['bg-line', 'bg-danger', 'bg-away', 'bg-online', 'bg-online'];

export function StrengthHint({ password }: { password: string }) {
  const { score, words } = strengthOf(password);
  return (
    <div className="grid gap-1.5">
      <div aria-hidden className="grid grid-cols-4 gap-1">
        {[1, 2, 3, 4].map((step) => (
          <span
            key={step}
            className={cn('h-1 rounded-full transition-colors', step <= score ? BARS[score] : 'bg-line')}
          />
        ))}
      </div>
      <span aria-live="polite">{words}</span>
    </div>
  );
}
