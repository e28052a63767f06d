/** Opens a conversation far enough back for its "New" line to be in it, and says when there is something to show. */
import { useCallback, useEffect, useState } from 'react';
import { chat, peekChat } from '../chat.ts';
import { tellProblem } from '../ui/toast.tsx';
import { knowsUnread } from './rows.ts';

/** So many pages are fetched to find the first unread message; behind more, one begins at the end. */
const PAGES = 10;

function reachesUnread(conversationId: string): boolean {
  const { conversations, timelines } = peekChat();
  const conversation = conversations[conversationId];
  const timeline = timelines[conversationId];
  if (!conversation || !timeline) return false;
  return conversation.unreadCount === 0 || knowsUnread(timeline, conversation.myReadSeq);
}

async function open(conversationId: string): Promise<void> {
  await chat.open(conversationId);
  for (let page = 0; page < PAGES && !reachesUnread(conversationId); page++) await chat.loadOlder(conversationId);
}

export type Opened = 'opening' | 'open' | 'failed';

/** `there`: the conversation is known to be one of mine. */
export function useOpened(conversationId: string, there: boolean): [Opened, () => void] {
  // One that was open before is there at once.
  const [opened, setOpened] = useState<Opened>(() => (reachesUnread(conversationId) ? 'open' : 'opening'));
  const begin = useCallback(() => {
    if (!reachesUnread(conversationId)) setOpened('opening');
    void open(conversationId).then(
      () => setOpened('open'),
      (error: unknown) => {
        // Part of it is better than nothing.
        setOpened((peekChat().timelines[conversationId]?.ids.length ?? 0) > 0 ? 'open' : 'failed');
        tellProblem(error);
      },
    );
  }, [conversationId]);
  useEffect(() => {
    if (there) begin();
  }, [there, begin]);
  return [opened, begin];
}
