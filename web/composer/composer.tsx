/** Where messages are written, answered and edited. Knows chat.send and chat.edit, and nothing of what follows. */
import { ArrowUp, Check, LoaderCircle } from 'lucide-react';
import {
  type KeyboardEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { selectChanged } from '#client/select';
import type { ConversationView } from '#client/types';
import { chat, peekChat, underway, useChat, useMe } from '../chat.ts';
import { firstName, partnerOf, titleOf } from '../naming.ts';
import { cn } from '../ui/cn.ts';
import { draftOf, endEdit, NO_DRAFT, selectDraft, setDraft, startEdit, useUi } from '../ui-state.ts';
import { AttachButton } from '../attach/attach-button.tsx';
import { Tray } from '../attach/tray.tsx';
import { addFiles } from '../attach/adding.ts';
import { pastedFiles } from '../attach/pasting.ts';
import { sendTray } from '../attach/sending.ts';
import { useTray } from '../attach/tray-store.ts';
import { RecordButton } from '../voice/record-button.tsx';
import { CompletionList } from './completion-list.tsx';
import { ContextBar } from './context-bar.tsx';
import { EmojiButton } from './emoji-button.tsx';
import { growToText } from './grow-to-text.ts';
import { lastEditable } from './last-editable.ts';
import { roomFor } from './limits.ts';
import { useCompletions } from './use-completions.ts';

const BOX = 'composer-box';

/** Focus goes to the text, from wherever it was. Late enough for a menu that is just closing to have given it back. */
export const focusComposer = () => void setTimeout(() => document.getElementById(BOX)?.focus(), 30);

interface Props {
  conversation: ConversationView;
  /** What stands in the line above: who is typing. */
  status: ReactNode;
}

export function Composer({ conversation, status }: Props) {
  if (!conversation.isActive) {
    return (
      <p className="border-t border-line px-6 py-5 text-center text-sm text-muted">
        This conversation has been archived. It can be read, but nothing new can be written.
      </p>
    );
  }
  return <Writable conversation={conversation} status={status} />;
}

/** What was begun stays where it is, and what was sent waits: only nothing new is begun. */
function Writable({ conversation, status }: Props) {
  const changed = useChat(selectChanged(conversation.id));
  if (!changed) return <Open conversation={conversation} status={status} />;
  return (
    <p className="border-t border-line px-6 py-5 text-center text-sm text-muted">
      {firstName(changed)} has new keys. Compare them or go on without (above), and you can write again.
    </p>
  );
}

function Open({ conversation, status }: Props) {
  const { id } = conversation;
  const me = useMe().id;
  const box = useRef<HTMLTextAreaElement>(null);
  const { text, replyTo, editing } = useUi(selectDraft(id));
  const [caret, setCaret] = useState(0);
  const listId = useId();
  useLayoutEffect(() => growToText(box.current, text), [text]);
  const room = roomFor(text);
  const blank = text.trim() === '';
  const tray = useTray(id);
  const idle = blank && (editing !== null || tray.items.length === 0);

  // Where a finger points, the keyboard of the screen would jump up uninvited.
  useEffect(() => {
    if (!matchMedia('(pointer: coarse)').matches) box.current?.focus();
    return () => chat.typing(id, false);
  }, [id]);

  const write = useCallback(
    (next: string) => {
      setDraft(id, { text: next });
      if (!draftOf(id).editing) chat.typing(id, next.trim() !== '');
    },
    [id],
  );
  const replace = (from: number, to: number, by: string) => {
    write(text.slice(0, from) + by + text.slice(to));
    const at = from + by.length;
    setCaret(at);
    requestAnimationFrame(() => box.current?.setSelectionRange(at, at));
  };
  const completions = useCompletions(text, caret, replace);

  function submit() {
    const body = text.replace(/^\s*\n/, '').trimEnd();
    if ((blank && tray.items.length === 0) || room.over) return;
    if (editing) {
      const { messageId } = editing;
      const content = peekChat().timelines[id]?.byId.get(messageId)?.content;
      if (content?.kind !== 'text' || content.body !== body) underway(chat.edit(id, messageId, body));
      endEdit(id);
    } else {
      if (tray.isSending) return;
      setDraft(id, NO_DRAFT);
      if (tray.items.length === 0) chat.send(id, { text: body, replyTo });
      else void sendTray(id, { text: body, replyTo }).then((sent) => sent || setDraft(id, { text, replyTo }));
    }
    box.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    // Enter that ends the composition of a character (229 in Safari) is not meant for us.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (!event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey && completions.onKey(event.key)) {
      event.preventDefault();
    } else if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      submit();
    } else if (event.key === 'ArrowUp' && text === '' && !event.altKey && !editing) {
      const last = lastEditable(peekChat().timelines[id], me);
      if (!last) return;
      event.preventDefault();
      startEdit(id, last.id, last.body);
    } else if (event.key === 'Escape' && (editing || replyTo)) {
      event.preventDefault();
      if (editing) endEdit(id);
      else setDraft(id, { replyTo: null });
    }
  }

  const partner = partnerOf(conversation, me);
  return (
    <div className="mx-auto w-full max-w-240 shrink-0 px-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] md:px-6 md:pb-5">
      <div className="flex h-7 items-center justify-between gap-4 px-2">
        {status}
        <span
          aria-live="polite"
          className={cn('shrink-0 text-sm', room.over ? 'font-semibold text-danger' : 'text-muted')}
        >
          {room.over ? `${-room.left} too many` : room.tight ? `${room.left} left` : ''}
        </span>
      </div>
      <div className="relative rounded-xl border border-edge/50 bg-raised shadow-low transition-colors focus-within:border-accent">
        <CompletionList id={listId} options={completions.options} index={completions.index} onPick={completions.pick} />
        {(editing || replyTo) && (
          <ContextBar
            conversationId={id}
            messageId={editing?.messageId ?? replyTo ?? ''}
            editing={editing !== null}
            onCancel={() => (editing ? endEdit(id) : setDraft(id, { replyTo: null }))}
          />
        )}
        {!editing && <Tray conversationId={id} onRemoved={() => box.current?.focus()} />}
        <div className="flex items-end gap-1 p-1.5">
          {!editing && <AttachButton conversationId={id} />}
          <textarea
            ref={box}
            id={BOX}
            rows={1}
            dir="auto"
            aria-label="Message"
            placeholder={`Write to ${partner ? firstName(partner) : titleOf(conversation, me)}`}
            value={text}
            onChange={(event) => {
              setCaret(event.target.selectionStart);
              write(event.target.value);
            }}
            onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
            onKeyDown={onKeyDown}
            onPaste={(event) => {
              const files = pastedFiles(event.clipboardData);
              if (files.length === 0) return;
              event.preventDefault();
              void addFiles(id, files);
            }}
            onBlur={() => chat.typing(id, false)}
            aria-invalid={room.over || undefined}
            aria-controls={completions.options.length > 0 ? listId : undefined}
            aria-activedescendant={completions.options.length > 0 ? `${listId}-${completions.index}` : undefined}
            className="max-h-[40dvh] min-h-10 flex-1 resize-none overflow-y-auto bg-transparent px-3 py-2 text-base outline-none placeholder:truncate coarse:min-h-11"
          />
          <EmojiButton
            returnTo={box}
            onPick={(emoji) => {
              const at = box.current?.selectionStart ?? text.length;
              replace(at, box.current?.selectionEnd ?? at, emoji);
            }}
          />
          {idle && !editing && (
            <RecordButton conversationId={id} replyTo={replyTo} onSent={() => setDraft(id, NO_DRAFT)} />
          )}
          <button
            type="button"
            aria-label={editing ? 'Save' : 'Send'}
            aria-disabled={idle || room.over}
            onClick={submit}
            className={cn(
              'grid size-10 shrink-0 place-items-center rounded-lg transition-colors coarse:size-11',
              idle || room.over ? 'bg-hover text-muted' : 'bg-accent text-on-accent hover:bg-accent-strong',
            )}
          >
            <SendIcon isEdit={editing !== null} isBusy={tray.isSending} />
          </button>
        </div>
      </div>
    </div>
  );
}

function SendIcon({ isEdit, isBusy }: { isEdit: boolean; isBusy: boolean }) {
  if (isEdit) return <Check size={20} aria-hidden />;
  if (isBusy) return <LoaderCircle size={20} aria-hidden className="animate-spin" />;
  return <ArrowUp size={20} strokeWidth={2.4} aria-hidden />;
}
