/** One line of the list. Subscribes to its own conversation only. */
import { BellOff, CircleAlert, Clock3 } from 'lucide-react';
import { memo } from 'react';
import { Link } from 'wouter';
import { isMuted, selectConversation, selectTyping, selectUnsent } from '#client/select';
import type { ConversationView, MessageView } from '#client/types';
import { useChat, useMe, useSignals } from '../chat.ts';
import { faceOf, firstName, partnerOf, typists } from '../naming.ts';
import { PresenceIndicator } from '../presence/presence-indicator.tsx';
import { briefTime, fullTime, useNow } from '../time.ts';
import { Avatar } from '../ui/avatar.tsx';
import { cn } from '../ui/cn.ts';
import { selectDraft, useUi } from '../ui-state.ts';
import { authorLine, contentLine } from './preview.ts';

export const ConversationRow = memo(function ConversationRow({ id, current }: { id: string; current: boolean }) {
  const conversation = useChat(selectConversation(id));
  const me = useMe().id;
  const now = useNow();
  if (!conversation) return null;
  const face = faceOf(conversation, me);
  const partner = partnerOf(conversation, me);
  const unread = current ? 0 : conversation.unreadCount;
  const muted = isMuted(conversation, now);
  const loud = unread > 0 && !muted;
  return (
    <li className="[contain-intrinsic-size:auto_4.25rem] [content-visibility:auto]">
      <Link
        href={`/c/${id}`}
        aria-current={current ? 'page' : undefined}
        className={cn(
          'flex min-h-17 items-center gap-3 rounded-lg px-3 py-2.5 -outline-offset-2',
          current ? 'bg-accent-soft' : 'hover:bg-hover',
        )}
      >
        <span className="relative">
          <Avatar {...face} />
          {partner && (
            <PresenceIndicator
              userId={partner.id}
              className={cn(
                'absolute -right-0.5 -bottom-0.5 rounded-full p-0.5',
                current ? 'bg-accent-soft' : 'bg-canvas',
              )}
            />
          )}
        </span>
        <span className="stack min-w-0 flex-1 gap-0.5">
          <span className="flex items-baseline gap-2">
            <span className="flex min-w-0 flex-1 items-center gap-1.5">
              <span className={cn('truncate', loud ? 'font-bold' : 'font-semibold')}>{face.name}</span>
              {muted && <BellOff size={13} role="img" aria-label="muted" className="shrink-0 text-muted" />}
            </span>
            {conversation.lastMessage && (
              <time
                dateTime={conversation.lastMessageAt}
                title={fullTime(conversation.lastMessageAt)}
                className={cn('shrink-0 text-xs', loud ? 'font-semibold text-fresh' : 'text-muted')}
              >
                {briefTime(conversation.lastMessageAt, now)}
              </time>
            )}
          </span>
          <span className="flex items-center gap-2">
            <span className={cn('flex-1 truncate text-sm', loud ? 'text-ink' : 'text-muted')}>
              <Line conversation={conversation} me={me} current={current} />
            </span>
            {unread > 0 && (
              <span
                className={cn(
                  'grid h-5 min-w-5 shrink-0 place-items-center rounded-full px-1.5 text-xs font-bold tabular-nums',
                  muted ? 'bg-line text-muted' : 'bg-fresh text-on-fresh',
                )}
              >
                {unread > 999 ? '999+' : unread}
                <span className="sr-only"> unread</span>
              </span>
            )}
          </span>
        </span>
      </Link>
    </li>
  );
});

function Unsent({ message }: { message: MessageView }) {
  const failed = message.send.step === 'failed';
  const Icon = failed ? CircleAlert : Clock3;
  return (
    <span className={cn(failed && 'text-danger')}>
      <Icon size={13} role="img" aria-label={failed ? 'Not sent:' : 'Waiting to be sent:'} className="-mt-0.5 inline" />{' '}
      {contentLine(message.content)}
    </span>
  );
}

/** What is going on in there, the most pressing thing first: typing, a draft of mine, what is not sent yet, the last message. */
function Line({ conversation, me, current }: { conversation: ConversationView; me: string; current: boolean }) {
  const typing = useSignals(selectTyping(conversation.id));
  const draft = useUi(selectDraft(conversation.id));
  const unsent = useChat(selectUnsent(conversation.id));
  if (typing.length > 0) {
    const names = conversation.participants.filter(({ user }) => typing.includes(user.id));
    const words = conversation.type === 'direct' ? '' : `${typists(names.map(({ user }) => firstName(user)))} `;
    return <span className="text-accent">{names.length > 0 ? `${words}typing…` : 'typing…'}</span>;
  }
  if (!current && draft.text.trim() && !draft.editing) {
    return (
      <>
        <span className="font-semibold text-fresh">Draft:</span> {draft.text}
      </>
    );
  }
  if (unsent) return <Unsent message={unsent} />;
  const message = conversation.lastMessage;
  if (!message) return <>No messages yet. Say hello!</>;
  const line = contentLine(message.content);
  return message.content.kind === 'text' ? (
    <>
      {authorLine(conversation, message, me)}
      {line}
    </>
  ) : (
    <em>{line}</em>
  );
}
