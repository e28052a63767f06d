/** Whether somebody is there: a dot whose shape differs as well as its colour, and always in words too. */
import { selectPresence } from '#client/select';
import { useSignals } from '../chat.ts';
import { agoWords, useNow } from '../time.ts';
import { cn } from '../ui/cn.ts';

interface Props {
  userId: string;
  /** Words beside the dot; otherwise they are there for screen readers only. */
  words?: boolean;
  className?: string;
}

export function PresenceIndicator({ userId, words, className }: Props) {
  const presence = useSignals(selectPresence(userId));
  const now = useNow();
  if (!presence) return null;
  const { status, lastSeenAt } = presence;
  if (!words && status === 'offline') return null;
  const text = status !== 'offline' ? status : lastSeenAt ? `last seen ${agoWords(lastSeenAt, now)}` : 'offline';
  return (
    <span className={cn('inline-flex min-w-0 items-center gap-1.5', className)}>
      <Dot status={status} />
      <span className={words ? 'truncate' : 'sr-only'}>{text}</span>
    </span>
  );
}

function Dot({ status }: { status: 'online' | 'away' | 'offline' }) {
  if (status === 'offline') return null;
  return (
    <span
      aria-hidden
      className={cn(
        'size-2.5 shrink-0 rounded-full',
        status === 'online' ? 'bg-online' : 'border-[3px] border-away bg-surface',
      )}
    />
  );
}
