/** The way back down, with the number of messages waiting there. */
import { ArrowDown } from 'lucide-react';
import { selectConversation } from '#client/select';
import { useChat } from '../chat.ts';

export function JumpToLatest({ conversationId, onJump }: { conversationId: string; onJump: () => void }) {
  const unread = useChat((state) => selectConversation(conversationId)(state)?.unreadCount ?? 0);
  return (
    <button
      type="button"
      aria-label={unread > 0 ? `Jump to the latest, ${unread} new` : 'Jump to the latest'}
      onClick={onJump}
      className="absolute right-4 bottom-4 z-20 grid size-11 animate-rise place-items-center rounded-full border border-line bg-raised text-muted shadow-mid hover:text-ink md:right-6"
    >
      <ArrowDown size={20} aria-hidden />
      {unread > 0 && (
        <span
          aria-hidden
          className="absolute -top-1.5 grid h-5 min-w-5 place-items-center rounded-full bg-fresh px-1.5 text-xs font-bold text-on-fresh tabular-nums"
        >
          {unread > 99 ? '99+' : unread}
        </span>
      )}
    </button>
  );
}
