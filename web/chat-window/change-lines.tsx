/** Between messages: who came, who went, whose keys are new. Several in a row are one line that opens. */
import { ChevronDown } from 'lucide-react';
import { useState } from 'react';
import type { ChangeLine } from '#client/types';
import { useChat, useMe } from '../chat.ts';
import { fullTime } from '../time.ts';
import { cn } from '../ui/cn.ts';
import { changeWords } from './change-words.ts';

/** So many are shown as they are. */
const FEW = 2;

export function ChangeLines({ lines, names }: { lines: ChangeLine[]; names: Record<string, string> }) {
  const me = useMe().id;
  const users = useChat((state) => state.users);
  const [open, setOpen] = useState(false);
  const nameOf = (id: string) => (id === me ? 'You' : (users[id]?.displayName ?? names[id] ?? 'Somebody'));
  const sentences = lines.flatMap((line) =>
    changeWords(line, nameOf).map((words, i) => ({ key: `${line.epoch}-${i}`, words, at: line.at })),
  );
  const shown = open || sentences.length <= FEW ? sentences : [];
  return (
    <div className="mx-auto grid max-w-240 justify-items-center gap-0.5 px-6 pt-3 pb-1 text-center text-xs text-muted">
      {sentences.length > FEW && (
        <button
          type="button"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="flex min-h-8 items-center gap-1 rounded-full px-3 font-medium hover:bg-hover hover:text-ink coarse:min-h-11"
        >
          {sentences.length} changes of people and keys
          <ChevronDown size={14} aria-hidden className={cn('transition-transform', open && 'rotate-180')} />
        </button>
      )}
      {shown.map(({ key, words, at }) => (
        <p key={key} title={fullTime(at)} className="max-w-prose wrap-anywhere">
          {words}
        </p>
      ))}
    </div>
  );
}
