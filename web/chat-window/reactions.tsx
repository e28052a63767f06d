/** The reactions under a message: a click joins in or takes mine back, the tooltip says who. */
import type { MessageView, ReactionView } from '#client/types';
import { chat, underway, useChat, useMe } from '../chat.ts';
import { cn } from '../ui/cn.ts';
import { Tooltip } from '../ui/tooltip.tsx';

export function Reactions({ message }: { message: MessageView }) {
  if (message.reactions.length === 0) return null;
  return (
    <ul aria-label="Reactions" className="relative z-1 -mt-1.5 flex flex-wrap gap-1 px-2 pb-1">
      {message.reactions.map((reaction) => (
        <li key={reaction.tag}>
          <Chip message={message} reaction={reaction} />
        </li>
      ))}
    </ul>
  );
}

function Chip({ message, reaction }: { message: MessageView; reaction: ReactionView }) {
  const me = useMe().id;
  const users = useChat((state) => state.users);
  const { emoji, mine, tag, count } = reaction;
  const names = reaction.userIds.map((id) => (id === me ? 'You' : (users[id]?.displayName ?? 'Somebody')));
  const who = names.slice(0, 8).join(', ') + (names.length > 8 ? ` and ${names.length - 8} more` : '');
  const toggle = () => {
    if (mine) return underway(chat.unreact(message.conversationId, message.id, tag));
    if (emoji) underway(chat.react(message.conversationId, message.id, emoji));
  };
  return (
    <Tooltip text={who}>
      <button
        type="button"
        aria-pressed={mine}
        aria-label={`${emoji ?? 'Unknown emoji'}, ${count}: ${who}`}
        onClick={toggle}
        className={cn(
          'inline-flex h-7 items-center gap-1.5 rounded-full border px-2 text-sm tabular-nums shadow-low coarse:h-9 coarse:px-3',
          mine
            ? 'border-accent bg-accent-soft font-semibold text-accent'
            : 'border-line bg-raised text-muted hover:border-edge',
        )}
      >
        <span aria-hidden>{emoji ?? '�'}</span>
        <span aria-hidden>{count}</span>
      </button>
    </Tooltip>
  );
}
