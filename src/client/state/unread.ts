/** Owns the counting of unread messages: each once, whatever the order in which they come; the server's count where it is known. */
import type { ConversationView, MessageView, Tally, Timeline } from '../types.ts';

export const tallied = (lastSeq: number): Tally => ({ upTo: lastSeq, above: [] });

/** Counts a message that may be new. */
export function countMessage(conversation: ConversationView, message: MessageView, me: string): ConversationView {
  const { seq } = message;
  const { tally } = conversation;
  if (seq === null || seq <= tally.upTo || tally.above.includes(seq)) return conversation;
  const isUnread = message.senderId !== me && seq > conversation.myReadSeq;
  return {
    ...conversation,
    tally: withSeq(tally, seq),
    lastSeq: Math.max(conversation.lastSeq, seq),
    unreadCount: conversation.unreadCount + (isUnread ? 1 : 0),
  };
}

/** My read watermark has moved, here or on another device. */
export function readUpTo(
  conversation: ConversationView,
  { readSeq, timeline, me }: { readSeq: number; timeline: Timeline | undefined; me: string },
): ConversationView {
  if (readSeq <= conversation.myReadSeq) return conversation;
  const left = unreadAfter(readSeq, { conversation, timeline, me });
  const atMost = Math.max(0, conversation.lastSeq - readSeq);
  return {
    ...conversation,
    myReadSeq: readSeq,
    unreadCount: left ?? Math.min(conversation.unreadCount, atMost),
    unreadStale: left === undefined,
  };
}

/** The server's count stands when it has seen at least as much as we have; a late answer changes nothing. */
export function recount(known: ConversationView, answer: ConversationView): ConversationView {
  const counted = Math.max(known.tally.upTo, ...known.tally.above);
  if (answer.tally.upTo < counted || answer.myReadSeq < known.myReadSeq) return { ...known, unreadStale: false };
  const { unreadCount, tally, myReadSeq } = answer;
  return { ...known, unreadCount, tally, myReadSeq, unreadStale: false };
}

function unreadAfter(
  readSeq: number,
  { conversation, timeline, me }: { conversation: ConversationView; timeline: Timeline | undefined; me: string },
): number | undefined {
  if (readSeq >= conversation.lastSeq) return 0;
  if (!timeline || timeline.hasNewer) return undefined;
  const messages = timeline.ids.map((id) => timeline.byId.get(id));
  const after = messages.filter((message) => (message?.seq ?? 0) > readSeq);
  // Only if every one of them is loaded.
  if (after.length !== conversation.lastSeq - readSeq) return undefined;
  return after.filter((message) => message?.senderId !== me).length;
}

function withSeq({ upTo, above }: Tally, seq: number): Tally {
  const rest = new Set([...above, seq]);
  let end = upTo;
  while (rest.delete(end + 1)) end++;
  return { upTo: end, above: [...rest] };
}
