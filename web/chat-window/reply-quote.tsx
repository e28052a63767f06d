/** What a message answers, in one line; a click goes there. */
import { selectMessage } from '#client/select';
import { useChat } from '../chat.ts';
import { contentLine } from '../conversation-list/preview.ts';
import { hueOf } from '../ui/avatar.tsx';

interface Props {
  conversationId: string;
  messageId: string;
  /** What stands there is not what was answered. */
  isOther: boolean;
  onJump: (messageId: string) => void;
}

const NOT_IT = 'This is not the message that was answered.';

export function ReplyQuote({ conversationId, messageId, isOther, onJump }: Props) {
  const original = useChat(selectMessage(conversationId, messageId));
  const author = useChat((state) => (original ? state.users[original.senderId] : undefined));
  return (
    <button
      type="button"
      onClick={() => onJump(messageId)}
      aria-label={`In reply to ${author?.displayName ?? 'an earlier message'}.${isOther ? ` ${NOT_IT}` : ''} Go there`}
      style={{ '--hue': hueOf(original?.senderId ?? '') } as React.CSSProperties}
      className="mb-1 grid w-0 min-w-[max(100%,12rem)] rounded-sm border-l-3 border-accent bg-ink/6 px-2.5 py-1 text-left text-sm hover:bg-ink/10"
    >
      <span className="hue-text truncate font-semibold">{author?.displayName ?? 'Earlier message'}</span>
      <span className="truncate text-ink/80">{original ? contentLine(original.content) : 'Go to the message'}</span>
      {isOther && <span className="text-fresh">{NOT_IT}</span>}
    </button>
  );
}
