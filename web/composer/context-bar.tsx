/** Above the text box: what is being answered or edited, with the way out of it. */
import { Pencil, Reply, X } from 'lucide-react';
import { selectMessage } from '#client/select';
import { useChat } from '../chat.ts';
import { contentLine } from '../conversation-list/preview.ts';
import { IconButton } from '../ui/icon-button.tsx';

interface Props {
  conversationId: string;
  messageId: string;
  editing: boolean;
  onCancel: () => void;
}

export function ContextBar({ conversationId, messageId, editing, onCancel }: Props) {
  const message = useChat(selectMessage(conversationId, messageId));
  const author = useChat((state) => (message ? state.users[message.senderId]?.displayName : undefined));
  const Icon = editing ? Pencil : Reply;
  return (
    <div className="flex items-center gap-3 border-b border-line py-1 pr-1 pl-4">
      <Icon size={17} aria-hidden className="shrink-0 text-accent" />
      <p className="stack min-w-0 flex-1 text-sm leading-tight">
        <span className="truncate font-semibold text-accent">
          {editing ? 'Editing your message' : `Reply to ${author ?? 'a message'}`}
        </span>
        <span className="truncate text-muted">{message && contentLine(message.content)}</span>
      </p>
      <IconButton label={editing ? 'Stop editing' : 'Do not reply'} onClick={onCancel}>
        <X size={17} aria-hidden />
      </IconButton>
    </div>
  );
}
