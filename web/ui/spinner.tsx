/** Something is on its way. What comes at once is not preceded by a flicker of this. */
import { LoaderCircle } from 'lucide-react';
import { cn } from './cn.ts';

export function Spinner({ label = 'Loading', className }: { label?: string; className?: string }) {
  return (
    <span role="status" className={cn('inline-grid animate-late place-items-center text-muted', className)}>
      <LoaderCircle size={20} aria-hidden className="animate-spin" />
      <span className="sr-only">{label}</span>
    </span>
  );
}
