/** Stands where a message is that did not pass its checks (P30): says so, and why, and never shows what it claimed. */
import { ChevronDown, ShieldAlert } from 'lucide-react';
import { unreadableWords } from './unreadable-words.ts';

export function Unreadable({ reason }: { reason: string }) {
  return (
    <details className="group/why text-sm">
      <summary className="flex cursor-pointer list-none items-center gap-2 rounded-sm text-fresh [&::-webkit-details-marker]:hidden">
        <ShieldAlert size={16} aria-hidden className="shrink-0" />
        <span className="font-medium">This message cannot be shown</span>
        <ChevronDown size={14} aria-hidden className="transition-transform group-open/why:rotate-180" />
      </summary>
      <p className="mt-1 max-w-xs text-muted">
        {unreadableWords(reason)} <span className="whitespace-nowrap text-xs">({reason})</span>
      </p>
    </details>
  );
}
