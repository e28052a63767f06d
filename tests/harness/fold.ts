/** What a program makes of the events alone: contract data in, contract data out, nothing fetched. It knows docs/protocol.md and no more. */
import type { Conversation, ConversationSeen } from '#protocol/conversation';
import type { FeedEvent } from '#protocol/event';
import type { Message, MessageSeen } from '#protocol/message';
import type { Participant } from '#protocol/participant';
import type { ReceiptSignal } from '#protocol/signal';

interface Known {
  readonly own: Omit<Conversation, 'participants'>;
  readonly people: ReadonlyMap<string, { version: number; participant: Participant }>;
  readonly messages: ReadonlyMap<string, Message>;
}
export type Folded = ReadonlyMap<string, Known>;
export type News = FeedEvent | (ReceiptSignal & { type: 'receipt' });

export interface Fresh {
  readonly conversation: ConversationSeen;
  readonly messages: readonly MessageSeen[];
}

const seen = (message: Message, me: string): MessageSeen => ({
  ...message,
  reactions: message.reactions.map((one) => ({ ...one, mine: one.userIds.includes(me) })),
});

/** As the queries answered: where a program starts. */
export function fromFresh(fresh: readonly Fresh[]): Folded {
  return new Map(
    fresh.map(({ conversation, messages }) => {
      const { participants, lastMessage: _last, unreadCount: _unread, ...own } = conversation;
      const people = participants.map((participant) => [participant.user.id, { version: 0, participant }] as const);
      return [own.id, { own, people: new Map(people), messages: new Map(messages.map((one) => [one.id, one])) }];
    }),
  );
}

/** The same shape again, to be compared with what the queries answer now. */
export function toFresh(state: Folded, me: string): Fresh[] {
  return [...state.values()].map(({ own, people, messages }) => {
    const participants = [...people.values()].map(({ participant }) => participant);
    const readSeq = people.get(me)?.participant.readSeq ?? 0;
    const list = [...messages.values()].sort((a, b) => b.seq - a.seq).map((message) => seen(message, me));
    const lastMessage = list.find(({ seq }) => seq === own.lastSeq) ?? null;
    return inOneOrder({
      // Who sends has read: unread is a difference, not a count (rule G4).
      conversation: { ...own, participants, lastMessage, unreadCount: own.lastSeq - readSeq, mutedUntil: null },
      messages: list,
    });
  });
}

const byId = (a: Participant, b: Participant) => a.user.id.localeCompare(b.user.id);
export const inOneOrder = ({ conversation, messages }: Fresh): Fresh => ({
  conversation: { ...conversation, participants: [...conversation.participants].sort(byId) },
  messages,
});

/** One event more. Applied twice, or late, it changes nothing (rules O2, R6). */
export function fold(state: Folded, event: News, me: string): Folded {
  switch (event.type) {
    case 'message':
      return change(state, event.message.conversationId, (known) => putMessage(known, event.message));
    case 'conversation':
      return putConversation(state, event.conversation);
    case 'participant':
      if (event.removed && event.userId === me) return without(state, event.conversationId);
      return change(state, event.conversationId, (known) => putPerson(known, event));
    case 'receipt':
      return change(state, event.conversationId, (known) =>
        [event.userId, ...(event.alike ?? [])].reduce((next, userId) => marked(next, userId, event), known),
      );
    case 'keys':
    case 'live':
      return state;
    case 'resync':
      throw new Error('nothing to fold: start again from a snapshot');
  }
}

function change(state: Folded, id: string, edit: (known: Known) => Known): Folded {
  const known = state.get(id);
  return known ? new Map(state).set(id, edit(known)) : state;
}
function without(state: Folded, id: string): Folded {
  const next = new Map(state);
  next.delete(id);
  return next;
}

function putMessage(known: Known, message: Message): Known {
  if ((known.messages.get(message.id)?.version ?? 0) >= message.version) return known;
  const { lastSeq, lastMessageAt } = known.own;
  const own = {
    ...known.own,
    lastSeq: Math.max(lastSeq, message.seq),
    lastMessageAt: message.createdAt > lastMessageAt ? message.createdAt : lastMessageAt,
  };
  const { senderId, seq } = message;
  const next = { ...known, own, messages: new Map(known.messages).set(message.id, message) };
  return marked(next, senderId, { deliveredSeq: seq, readSeq: seq });
}

function putConversation(state: Folded, { participants, ...own }: Conversation): Folded {
  if (!own.isActive) return without(state, own.id);
  const known = state.get(own.id);
  if (known && known.own.version >= own.version) return state;
  const told = new Map(participants.map((one) => [one.user.id, one]));
  const people = new Map(
    [...(known?.people ?? [])].filter(([id, { version }]) => told.has(id) || version > own.version),
  );
  for (const [id, participant] of told) {
    const present = people.get(id);
    const newer = present === undefined || present.version <= own.version;
    const base = newer ? { version: own.version, participant } : present;
    people.set(id, { ...base, participant: withMarks(base.participant, present?.participant ?? participant) });
  }
  return new Map(state).set(own.id, { own, people, messages: known?.messages ?? new Map() });
}

function putPerson(known: Known, event: Extract<FeedEvent, { type: 'participant' }>): Known {
  const present = known.people.get(event.userId);
  if (present && present.version > event.version) return known;
  const people = new Map(known.people);
  const { version, participant } = event;
  if (participant === null) people.delete(event.userId);
  else people.set(event.userId, { version, participant: withMarks(participant, present?.participant ?? participant) });
  return { ...known, people };
}

type Marks = Pick<Participant, 'deliveredSeq' | 'readSeq'>;
const withMarks = (participant: Participant, marks: Marks): Participant => ({
  ...participant,
  deliveredSeq: Math.max(participant.deliveredSeq, marks.deliveredSeq),
  readSeq: Math.max(participant.readSeq, marks.readSeq),
});
function marked(known: Known, userId: string, marks: Marks): Known {
  const present = known.people.get(userId);
  if (!present) return known;
  const participant = withMarks(present.participant, marks);
  return { ...known, people: new Map(known.people).set(userId, { ...present, participant }) };
}
