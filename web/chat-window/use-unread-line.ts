/** Where the "New" line stands: at the first unread message on opening, and again where I stopped looking. It stays until I leave. */
import { useEffect, useState } from 'react';
import { onChatChange, peekChat } from '../chat.ts';
import { attending } from './attention.ts';

/** The seq after which messages are new, or null. */
export function useUnreadLine(conversationId: string, atBottom: () => boolean): number | null {
  const [after, setAfter] = useState<number | null>(() => {
    const conversation = peekChat().conversations[conversationId];
    return conversation && conversation.unreadCount > 0 ? conversation.myReadSeq : null;
  });
  useEffect(
    () =>
      onChatChange((state, before) => {
        const now = state.conversations[conversationId];
        const then = before.conversations[conversationId];
        if (!now || !then || now === then) return;
        const firstUnread = then.unreadCount === 0 && now.unreadCount > 0;
        if (firstUnread && !(attending() && atBottom())) setAfter(then.myReadSeq);
      }),
    [conversationId, atBottom],
  );
  return after;
}
