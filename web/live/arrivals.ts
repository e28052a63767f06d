/** Which messages have just come from others: the difference between two states, history left aside. Pure. */
import type { ChatState, MessageView } from '#client/types';

/** More than this at once is a catch-up, which nobody wants read out. */
const AT_MOST = 3;

export function arrivals(state: ChatState, before: ChatState, me: string): MessageView[] {
  if (state.conversations === before.conversations || !before.ready) return [];
  return state.conversationIds.flatMap((id) => {
    const now = state.conversations[id];
    const then = before.conversations[id];
    if (!now || !then || now.lastSeq <= then.lastSeq) return [];
    const timeline = state.timelines[id];
    const fresh = (timeline?.ids ?? [])
      .slice(-AT_MOST)
      .map((messageId) => timeline?.byId.get(messageId))
      .filter((message) => message && (message.seq ?? 0) > then.lastSeq) as MessageView[];
    const found = fresh.length > 0 ? fresh : now.lastMessage ? [now.lastMessage] : [];
    return found.filter(({ senderId }) => senderId !== me);
  });
}
