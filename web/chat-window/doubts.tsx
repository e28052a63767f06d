/** Says, quietly, that a message does not go together with what stands before it: something was left out, or exchanged. */
import { ChevronDown, ShieldAlert } from 'lucide-react';
import type { Doubt, MessageView } from '#client/types';

const WORDS: Record<Exclude<Doubt, 'answer'>, { title: string; why: string }> = {
  missing: {
    title: 'A message may be missing here',
    why: 'Whoever wrote this had seen a message that the server has not given to you. Ask them what it was; if it happens again, tell whoever runs this server.',
  },
  other: {
    title: 'Others may have read something else here',
    why: 'Whoever wrote this had been given another message than you shortly before. Ask them what they read; if it happens again, tell whoever runs this server.',
  },
};

export function Doubts({ message }: { message: MessageView }) {
  const doubt = message.doubts?.find((one) => one !== 'answer');
  if (!doubt) return null;
  const { title, why } = WORDS[doubt];
  return (
    <details className="group/doubt max-w-full px-3.5 pt-1 pb-1.5 text-sm">
      <summary className="flex cursor-pointer list-none items-center gap-2 rounded-sm text-fresh [&::-webkit-details-marker]:hidden">
        <ShieldAlert size={16} aria-hidden className="shrink-0" />
        <span>{title}</span>
        <ChevronDown size={14} aria-hidden className="transition-transform group-open/doubt:rotate-180" />
      </summary>
      <p className="mt-1 max-w-xs text-muted">{why}</p>
    </details>
  );
}
