/** One message. Subscribes to itself only, so a reaction renders one row. */
import { Trash2 } from 'lucide-react';
import { memo, type ReactNode, useRef, useState } from 'react';
import { selectMessage } from '#client/select';
import type { MessageView } from '#client/types';
import { useChat, useMe } from '../chat.ts';
import { UploadProgress } from '../attach/upload-progress.tsx';
import { contentLine } from '../conversation-list/preview.ts';
import { Files } from '../files/files.tsx';
import { clockTime, fullTime } from '../time.ts';
import { Avatar, hueOf } from '../ui/avatar.tsx';
import { cn } from '../ui/cn.ts';
import { Doubts } from './doubts.tsx';
import { Failed } from './failed.tsx';
import { MessageActions, type OpenPart } from './message-actions.tsx';
import { MessageBody } from './message-body.tsx';
import { Reactions } from './reactions.tsx';
import { ReplyQuote } from './reply-quote.tsx';
import { isJumbo } from './text.ts';
import { Ticks, WaitingChange } from './ticks.tsx';
import { Unreadable } from './unreadable.tsx';
import { useLongPress } from './use-long-press.ts';
import { useWindow } from './window-actions.ts';

interface Props {
  id: string;
  first: boolean;
  last: boolean;
  /** The one row of the list that Tab reaches. */
  tabStop: boolean;
  flash: boolean;
}

/** A message this young has just been written: it may rise into place. */
const JUST_NOW_MS = 1_500;

export const MessageRow = memo(function MessageRow({ id, first, last, tabStop, flash }: Props) {
  const { conversationId, isGroup, jump } = useWindow();
  const message = useChat(selectMessage(conversationId, id));
  const author = useChat((state) => (message ? state.users[message.senderId] : undefined));
  const me = useMe();
  const row = useRef<HTMLDivElement>(null);
  const bubble = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(false);
  const [open, setOpen] = useState<OpenPart>(null);
  const press = useLongPress(() => setOpen('menu'));
  const [fresh] = useState(() => message && Date.now() - Date.parse(message.createdAt) < JUST_NOW_MS);
  if (!message) return null;

  const mine = message.senderId === me.id;
  const name = mine ? me.displayName : (author?.displayName ?? 'Somebody');
  const { content } = message;
  const jumbo = content.kind === 'text' && content.replyTo === null && !content.files && isJumbo(content.body);
  const openMenu = (event: React.KeyboardEvent) => {
    if (event.target !== row.current) return;
    if (event.key !== 'Enter' && event.key !== 'ContextMenu' && !(event.shiftKey && event.key === 'F10')) return;
    event.preventDefault();
    setOpen('menu');
  };

  return (
    <article
      ref={row}
      data-message={id}
      tabIndex={tabStop ? 0 : -1}
      aria-label={`${mine ? 'You' : name}, ${clockTime(message.createdAt)}: ${contentLine(content)}`}
      onPointerEnter={() => setNear(true)}
      onPointerLeave={() => setNear(false)}
      onFocus={() => setNear(true)}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setNear(false)}
      onKeyDown={openMenu}
      className={cn(
        'group/row relative mx-auto flex max-w-240 gap-2 px-3 -outline-offset-2 md:px-6',
        first ? 'pt-3' : 'pt-0.5',
        mine && 'justify-end',
        flash && 'animate-flash',
        open && 'z-10',
      )}
    >
      {isGroup && !mine && <Face id={message.senderId} name={name} shown={last} />}
      <div
        className={cn(
          'flex max-w-[86%] min-w-0 flex-col md:max-w-[min(36rem,calc(100%-10.5rem))]',
          mine ? 'items-end' : 'items-start',
        )}
      >
        {isGroup && !mine && first && (
          <span
            style={{ '--hue': hueOf(message.senderId) } as React.CSSProperties}
            className="hue-text px-3.5 pb-1 text-sm font-semibold"
          >
            {name}
          </span>
        )}
        <Doubts message={message} />
        <div
          ref={bubble}
          {...press}
          className={cn(
            'relative max-w-full touch-pan-y',
            jumbo ? 'flow-root px-1' : bubbleClass(mine, first, last),
            content.kind === 'deleted' && 'border border-dashed border-line bg-transparent shadow-none',
            message.send.step === 'failed' && message.send.reason !== 'paused' && 'outline-2 outline-danger',
            fresh && 'animate-rise',
          )}
        >
          <Body
            message={message}
            by={mine ? 'you' : name}
            mine={mine}
            onJump={jump}
            end={<Meta message={message} mine={mine} />}
          />
          {(near || open) && message.send.step !== 'sending' && (
            <MessageActions
              message={message}
              mine={mine}
              open={open}
              onOpenChange={setOpen}
              bubble={bubble}
              row={row}
            />
          )}
        </div>
        {mine && <UploadProgress message={message} />}
        <Reactions message={message} />
        <Failed message={message} />
      </div>
    </article>
  );
});

/** Corners towards the author are tight inside a group, so that its messages read as one. */
function bubbleClass(mine: boolean, first: boolean, last: boolean): string {
  return cn(
    'flow-root rounded-xl px-3.5 py-2 shadow-low',
    mine ? 'bg-own' : 'border border-line/70 bg-raised',
    !first && (mine ? 'rounded-tr-sm' : 'rounded-tl-sm'),
    !last && (mine ? 'rounded-br-sm' : 'rounded-bl-sm'),
    last && (mine ? 'rounded-br-xs' : 'rounded-bl-xs'),
  );
}

function Face({ id, name, shown }: { id: string; name: string; shown: boolean }) {
  return <span className="flex w-8 shrink-0 items-end">{shown && <Avatar id={id} name={name} size="sm" />}</span>;
}

interface BodyProps {
  message: MessageView;
  by: string;
  mine: boolean;
  end: ReactNode;
  onJump: (id: string) => void;
}

function Body({ message, by, mine, end, onJump }: BodyProps) {
  const { content } = message;
  switch (content.kind) {
    case 'text':
      return (
        <>
          {content.replyTo && (
            <ReplyQuote
              conversationId={message.conversationId}
              messageId={content.replyTo}
              isOther={message.doubts?.includes('answer') ?? false}
              onJump={onJump}
            />
          )}
          {content.files && <Files files={content.files} by={by} mine={mine} stored={message.seq !== null} />}
          <MessageBody body={content.body} end={end} />
        </>
      );
    case 'deleted':
      return (
        <p className="flex items-center gap-2 text-sm text-muted italic">
          <Trash2 size={14} aria-hidden /> Message deleted
        </p>
      );
    case 'unreadable':
      return <Unreadable reason={content.reason} />;
    case 'unsupported':
      return <p className="text-sm text-muted italic">This kind of message needs a newer Parley.</p>;
  }
}

function Meta({ message, mine }: { message: MessageView; mine: boolean }) {
  return (
    <span
      className={cn(
        'relative top-1 float-right ml-3 flex items-center gap-1 text-xs leading-5 select-none',
        mine ? 'text-own-muted' : 'text-muted',
      )}
    >
      {message.acts.some(({ failed }) => failed === null) && <WaitingChange />}
      {message.isEdited && <span title={message.editedAt ? fullTime(message.editedAt) : undefined}>edited</span>}
      <time dateTime={message.createdAt} title={fullTime(message.createdAt)} className="tabular-nums">
        {clockTime(message.createdAt)}
      </time>
      {mine && <Ticks conversationId={message.conversationId} messageId={message.id} />}
    </span>
  );
}
