/**
 * What a page does while notifications are on: tells the service worker of messages that nobody sees, closes what has been
 * read, keeps names for pushes that come when no page is there.
 */
import { isMuted } from '#client/select';
import type { ChatState, ConversationView, MessageView } from '#client/types';
import { chat, onChatChange, peekChat } from '../chat.ts';
import { filesLine } from '../files/words.ts';
import { arrivals } from '../live/arrivals.ts';
import { tellWorker } from './standing.ts';
import { subscribe } from './subscription.ts';
import type { Arrival } from './words.ts';

/** Many come at once. */
const NAMES_AFTER_MS = 1_000;

export function notify(signal: AbortSignal): void {
  if (signal.aborted) return;
  const forgiven = () => {};
  const begin = () => {
    // What fails now is done again with the next start.
    void subscribe().catch(forgiven);
    void chat.keepNames().catch(forgiven);
    void closeRead(Object.values(peekChat().conversations)).catch(forgiven);
  };
  let keeping: ReturnType<typeof setTimeout> | undefined;
  const keepNamesSoon = () => {
    keeping ??= setTimeout(() => {
      keeping = undefined;
      if (!signal.aborted) void chat.keepNames().catch(forgiven);
    }, NAMES_AFTER_MS);
  };
  if (peekChat().ready) begin();
  const end = onChatChange((now, before) => {
    if (now.ready && !before.ready) return begin();
    // New people, with a new conversation most of the time.
    if (now.users !== before.users) keepNamesSoon();
    if (now.conversations === before.conversations || now.session.status !== 'signed-in') return;
    const read = Object.values(now.conversations).filter((one) => isRead(one) && !isRead(before.conversations[one.id]));
    if (read.length > 0) void closeRead(read).catch(forgiven);
    if (document.hasFocus()) return;
    for (const arrival of unseen(now, before, now.session.me.id)) {
      void tellWorker({ type: 'arrived', arrival }).catch(forgiven);
    }
  });
  signal.addEventListener('abort', end);
  const leaving = () => document.visibilityState === 'hidden' && void chat.keepNames().catch(forgiven);
  document.addEventListener('visibilitychange', leaving, { signal });
}

const isRead = (conversation: ConversationView | undefined): boolean =>
  conversation !== undefined && conversation.myReadSeq >= conversation.lastSeq;

async function closeRead(conversations: ConversationView[]): Promise<void> {
  const read = new Set(conversations.filter(isRead).map(({ id }) => id));
  const registration = await navigator.serviceWorker.getRegistration();
  for (const shown of (await registration?.getNotifications()) ?? []) if (read.has(shown.tag)) shown.close();
}

function unseen(now: ChatState, before: ChatState, me: string): Arrival[] {
  return arrivals(now, before, me).flatMap((message) => {
    const conversation = now.conversations[message.conversationId];
    if (!conversation || isMuted(conversation) || message.isDeleted) return [];
    return (message.seq ?? 0) > conversation.myReadSeq ? [arrivalOf(message, conversation, now)] : [];
  });
}

function arrivalOf({ id, senderId, content }: MessageView, conversation: ConversationView, state: ChatState): Arrival {
  const text = content.kind === 'text' ? filesLine(content.files ?? [], content.body) : null;
  return {
    conversationId: conversation.id,
    messageId: id,
    sender: text === null ? null : (state.users[senderId]?.displayName ?? null),
    group: conversation.type === 'group' ? conversation.title : null,
    text,
  };
}
