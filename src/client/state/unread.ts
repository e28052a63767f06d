/** Owns the counting of unread messages: each once, whatever the order in which they come; the server's count where it is known. */
import type { ConversationView, Tally, Timeline } from '../types.ts';
import type { CountedMessage } from './change.ts';

export const tallied = (lastSeq: number): Tally => ({ upTo: lastSeq, above: [] });

/** Counts a message that may be new. */
export function countMessage(conversation: ConversationView, message: CountedMessage, me: string): ConversationView {
  const { seq } = message;
  const { tally } = conversation;
  if (seq === null || isCounted(tally, seq)) return conversation;
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
  const counted = known.tally.above.at(-1)?.[1] ?? known.tally.upTo;
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

const isCounted = ({ upTo, above }: Tally, seq: number): boolean =>
  seq <= upTo || above.some(([first, last]) => first <= seq && seq <= last);

function withSeq({ upTo, above }: Tally, seq: number): Tally {
  if (above.length === 0 && seq === upTo + 1) return { upTo: seq, above };
  const before = above.filter(([, last]) => last < seq - 1);
  const after = above.filter(([first]) => first > seq + 1);
  const touching = above.filter(([first, last]) => last >= seq - 1 && first <= seq + 1);
  const range = [Math.min(seq, touching[0]?.[0] ?? seq), Math.max(seq, touching.at(-1)?.[1] ?? seq)] as const;
  const ranges = [...before, range, ...after];
  const lowest = ranges[0];
  return lowest?.[0] === upTo + 1 ? { upTo: lowest[1], above: ranges.slice(1) } : { upTo, above: ranges };
}
