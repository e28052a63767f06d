/** One conversation on the screen: header, history, composer, and the windows that open over them. */
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { Link } from 'wouter';
import { selectChanged, selectConversation } from '#client/select';
import { DropZone } from '../attach/drop-zone.tsx';
import { chat, peekChat, underway, useChat } from '../chat.ts';
import { Composer, focusComposer } from '../composer/composer.tsx';
import { ChangedBanner } from '../trust/changed-banner.tsx';
import { buttonClass } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { setUi, startEdit, startReply, useUi } from '../ui-state.ts';
import { ChatHeader } from './chat-header.tsx';
import { MessageList } from './message-list.tsx';
import { TypingIndicator } from './typing-indicator.tsx';
import { useChanges } from './use-changes.ts';
import { useOpened } from './use-opened.ts';
import { WindowContext } from './window-actions.ts';

const MembersPanel = lazy(() => import('../members/members-panel.tsx'));
const Receipts = lazy(() => import('./receipts.tsx'));

export default function ChatWindow({ conversationId }: { conversationId: string }) {
  const conversation = useChat(selectConversation(conversationId));
  const known = useChat((state) => state.ready);
  const hasTimeline = useChat((state) => state.timelines[conversationId] !== undefined);
  const [opened, openAgain] = useOpened(conversationId, conversation !== undefined);
  const changes = useChanges(conversationId);
  const changed = useChat(selectChanged(conversationId));
  const members = useUi((state) => state.members);
  const [target, setTarget] = useState<{ messageId: string } | null>(null);
  const [removing, setRemoving] = useState<string | null>(null);
  const [receipts, setReceipts] = useState<string | null>(null);

  useEffect(() => () => setUi({ members: false }), []);

  const isGroup = conversation?.type === 'group';
  const actions = useMemo(
    () => ({
      conversationId,
      isGroup,
      reply(messageId: string) {
        startReply(conversationId, messageId);
        focusComposer();
      },
      edit(messageId: string) {
        const content = peekChat().timelines[conversationId]?.byId.get(messageId)?.content;
        if (content?.kind !== 'text') return;
        startEdit(conversationId, messageId, content.body);
        focusComposer();
      },
      remove(messageId: string) {
        const message = peekChat().timelines[conversationId]?.byId.get(messageId);
        // Nobody has seen it, and there is nothing to be asked about.
        if (message?.seq === null) underway(chat.remove(conversationId, messageId));
        else setRemoving(messageId);
      },
      jump: (messageId: string) => setTarget({ messageId }),
      showReceipts: setReceipts,
    }),
    [conversationId, isGroup],
  );
  const onEscape = useCallback(() => focusComposer(), []);

  if (!conversation) return known ? <Unknown /> : <Loading />;
  return (
    <WindowContext.Provider value={actions}>
      <DropZone
        conversationId={conversationId}
        closed={!conversation.isActive || changed !== undefined}
        className="relative flex h-full min-h-0 flex-col safe-top"
      >
        <ChatHeader conversation={conversation} />
        {changed && <ChangedBanner user={changed} />}
        {opened === 'open' && hasTimeline && changes ? (
          <MessageList conversationId={conversationId} changes={changes} target={target} onEscape={onEscape} />
        ) : opened === 'failed' ? (
          <Retry onRetry={openAgain} />
        ) : (
          <div className="min-h-0 flex-1">
            <Loading />
          </div>
        )}
        <Composer conversation={conversation} status={<TypingIndicator conversationId={conversationId} />} />
      </DropZone>
      <Confirm
        open={removing !== null}
        onOpenChange={(open) => !open && setRemoving(null)}
        title="Delete this message?"
        text="It disappears for everybody in the conversation, and cannot be brought back."
        action="Delete"
        onConfirm={() => removing && underway(chat.remove(conversationId, removing))}
      />
      <Suspense>
        {members && <MembersPanel conversation={conversation} />}
        {receipts && <Receipts messageId={receipts} onClose={() => setReceipts(null)} />}
      </Suspense>
    </WindowContext.Provider>
  );
}

function Loading() {
  return (
    <div className="grid h-full place-items-center">
      <Spinner label="Loading messages" />
    </div>
  );
}

function Retry({ onRetry }: { onRetry: () => void }) {
  return (
    <div className="grid min-h-0 flex-1 place-content-center justify-items-center gap-3 p-6 text-center">
      <p className="text-muted">The messages could not be loaded.</p>
      <button type="button" className={buttonClass('secondary')} onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}

function Unknown() {
  return (
    <div className="grid h-full place-content-center justify-items-center p-8 text-center">
      <h2 className="text-xl font-semibold">Nothing to see here</h2>
      <p className="mt-1 max-w-xs text-muted">This conversation does not exist, or you are no longer part of it.</p>
      <Link href="/" className={buttonClass('secondary', 'mt-5')}>
        Back to your conversations
      </Link>
    </div>
  );
}
