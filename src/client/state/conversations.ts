/** Owns the list of conversations: what queries and the feed say about them, their people, their order. */
import type { ChatState, ConversationView, MessageView, ParticipantView } from '../types.ts';
import type { ConversationFrame, CountedMessage } from './change.ts';
import { myId, without } from './shape.ts';
import { countMessage, readUpTo, recount } from './unread.ts';

/** As a query answered. What the feed has told since then is not taken back. */
export function putConversations(state: ChatState, answers: ConversationView[]): ChatState {
  return answers.reduce((next, answer) => {
    const known = next.conversations[answer.id];
    if (!known) return put(next, answer);
    const { mutedUntil } = answer;
    return put(next, { ...withLast(recount(merged(known, answer), answer), answer), mutedUntil });
  }, state);
}

function withLast(known: ConversationView, { lastMessage }: ConversationView): ConversationView {
  const isLater = (lastMessage?.seq ?? 0) > (known.lastMessage?.seq ?? 0);
  return isLater ? { ...known, lastMessage } : known;
}

/** As the feed says. Only for conversations that are known; others are asked for first. */
export function putFrame(state: ChatState, frame: ConversationFrame): ChatState {
  const known = state.conversations[frame.id];
  return known ? put(state, merged(known, frame)) : state;
}

export function putParticipant(
  state: ChatState,
  change: { conversationId: string; userId: string; participant: ParticipantView | null; version: number },
): ChatState {
  const known = state.conversations[change.conversationId];
  if (!known) return state;
  const { userId, participant, version } = change;
  const present = known.participants.find(({ user }) => user.id === userId);
  if (!participant) {
    if (userId === myId(state)) return forget(state, known.id);
    // A removal told again after the person has come back.
    if (!present || present.version > version) return state;
    return put(state, { ...known, participants: known.participants.filter((one) => one !== present) });
  }
  const next = present ? newer(present, participant) : participant;
  const participants = present
    ? known.participants.map((one) => (one === present ? next : one))
    : [...known.participants, next];
  return put(state, followMe({ ...known, participants }, state));
}

/** A snapshot does not take back how far anybody has come: my own receipt may still be on its way, others may hide theirs. */
export function keepMarks(state: ChatState, answer: ConversationView): ConversationView {
  const known = state.conversations[answer.id];
  const me = myId(state);
  if (!known || me === null) return answer;
  const before = new Map(known.participants.map((one) => [one.user.id, one]));
  const participants = answer.participants.map((one) => {
    const marks = before.get(one.user.id);
    // Not beyond the end: the server may have been set back.
    return marks ? withMarks(one, capped(marks, answer.lastSeq)) : one;
  });
  return followMe({ ...answer, participants }, state);
}

const capped = ({ deliveredSeq, readSeq }: ParticipantView, lastSeq: number) => ({
  deliveredSeq: Math.min(deliveredSeq, lastSeq),
  readSeq: Math.min(readSeq, lastSeq),
});

/** Watermarks only grow, whichever way the news comes. */
export function putReceipt(
  state: ChatState,
  receipt: { conversationId: string; userIds: readonly string[]; deliveredSeq: number; readSeq: number },
): ChatState {
  const known = state.conversations[receipt.conversationId];
  if (!known) return state;
  const { deliveredSeq, readSeq } = receipt;
  const people = new Set(receipt.userIds);
  let isNews = false;
  const participants = known.participants.map((one) => {
    if (!people.has(one.user.id) || (deliveredSeq <= one.deliveredSeq && readSeq <= one.readSeq)) return one;
    isNews = true;
    return withMarks(one, receipt);
  });
  return isNews ? put(state, followMe({ ...known, participants }, state)) : state;
}

/** What a message, new or changed, means for its conversation: last message if it has been opened, order, count. */
export function noteMessage(state: ChatState, message: CountedMessage | MessageView): ChatState {
  const known = state.conversations[message.conversationId];
  const me = myId(state);
  if (!known || me === null || message.seq === null) return state;
  let next = countMessage(known, message, me);
  const last = next.lastMessage;
  const isLast = (last?.seq ?? 0) < message.seq;
  const isChange = last?.id === message.id && message.version > last.version;
  if ((isLast || isChange) && 'content' in message) next = { ...next, lastMessage: message };
  if (isLast && message.createdAt > next.lastMessageAt) next = { ...next, lastMessageAt: message.createdAt };
  // Who writes has read: the server moves the watermark with the message.
  if (message.senderId === me) next = readUpTo(next, { readSeq: message.seq, timeline: state.timelines[next.id], me });
  else next = withSenderMark(next, message.senderId, message.seq);
  return next === known ? state : put(state, next);
}

/** Others, too, have read what they answer; no receipt says so. */
function withSenderMark(conversation: ConversationView, senderId: string, seq: number): ConversationView {
  const sender = conversation.participants.find(({ user }) => user.id === senderId);
  if (!sender || sender.readSeq >= seq) return conversation;
  const marked = withMarks(sender, { deliveredSeq: seq, readSeq: seq });
  return { ...conversation, participants: conversation.participants.map((one) => (one === sender ? marked : one)) };
}

export function forget(state: ChatState, id: string): ChatState {
  return {
    ...state,
    conversations: without(state.conversations, id),
    conversationIds: state.conversationIds.filter((one) => one !== id),
    timelines: without(state.timelines, id),
  };
}

/** Puts one conversation in and keeps the order. */
function put(state: ChatState, conversation: ConversationView): ChatState {
  const before = state.conversations[conversation.id];
  if (before === conversation) return state;
  if (!conversation.isActive) return forget(state, conversation.id);
  const conversations = { ...state.conversations, [conversation.id]: conversation };
  const moved = before?.lastMessageAt !== conversation.lastMessageAt;
  const conversationIds = moved ? movedTo(state.conversationIds, conversation, conversations) : state.conversationIds;
  return { ...state, conversations, conversationIds, users: withUsers(state.users, conversation, before) };
}

export function inOrder(conversations: Record<string, ConversationView>): string[] {
  return Object.values(conversations)
    .sort((a, b) => (isBefore(a, b) ? -1 : 1))
    .map(({ id }) => id);
}

/** Newest activity first. Times and ids compare as they stand. */
function isBefore(a: ConversationView, b: ConversationView): boolean {
  return a.lastMessageAt === b.lastMessageAt ? a.id > b.id : a.lastMessageAt > b.lastMessageAt;
}

/** One place further: a long replay moves conversations ten thousand times. */
function movedTo(ids: string[], moved: ConversationView, conversations: Record<string, ConversationView>): string[] {
  if (ids[0] === moved.id && ids.length > 1) {
    const second = conversations[ids[1] ?? ''];
    if (second && isBefore(moved, second)) return ids;
  }
  const rest = ids.filter((id) => id !== moved.id);
  const at = rest.findIndex((id) => {
    const other = conversations[id];
    return other !== undefined && isBefore(moved, other);
  });
  return rest.toSpliced(at < 0 ? rest.length : at, 0, moved.id);
}

export function withUsers(
  users: ChatState['users'],
  conversation: ConversationView,
  before?: ConversationView,
): ChatState['users'] {
  const { participants } = conversation;
  if (participants === before?.participants || participants.every(({ user }) => users[user.id] === user)) return users;
  return { ...users, ...Object.fromEntries(conversation.participants.map(({ user }) => [user.id, user])) };
}

/** Own fields by the conversation's version, people by theirs, watermarks by their height. */
function merged(known: ConversationView, told: ConversationFrame): ConversationView {
  if (told.version < known.version) return known;
  const before = new Map(known.participants.map((one) => [one.user.id, one]));
  const participants = told.participants.map((one) => {
    const present = before.get(one.user.id);
    return present ? newer(present, one) : one;
  });
  return {
    ...known,
    ...told,
    participants,
    // An answer brings counts of its own, and whether they stand is `recount`'s to say. The watermark goes with them.
    lastMessage: known.lastMessage,
    unreadCount: known.unreadCount,
    unreadStale: known.unreadStale,
    tally: known.tally,
    myReadSeq: known.myReadSeq,
    lastSeq: Math.max(known.lastSeq, told.lastSeq),
    lastMessageAt: told.lastMessageAt > known.lastMessageAt ? told.lastMessageAt : known.lastMessageAt,
  };
}

function newer(known: ParticipantView, told: ParticipantView): ParticipantView {
  return withMarks(told.version >= known.version ? told : known, told.version >= known.version ? known : told);
}

function withMarks(participant: ParticipantView, marks: { deliveredSeq: number; readSeq: number }): ParticipantView {
  const deliveredSeq = Math.max(participant.deliveredSeq, marks.deliveredSeq, marks.readSeq);
  return { ...participant, deliveredSeq, readSeq: Math.max(participant.readSeq, marks.readSeq) };
}

/** Role and read watermark of mine, taken out of the participants. */
function followMe(conversation: ConversationView, state: ChatState): ConversationView {
  const me = myId(state);
  const mine = conversation.participants.find(({ user }) => user.id === me);
  if (!mine || me === null) return conversation;
  const timeline = state.timelines[conversation.id];
  return { ...readUpTo(conversation, { readSeq: mine.readSeq, timeline, me }), myRole: mine.role };
}
