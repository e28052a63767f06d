import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyChanges } from '../../src/client/state/apply.ts';
import type { Change } from '../../src/client/state/change.ts';
import { EMPTY_STATE } from '../../src/client/state/shape.ts';
import { hasGap } from '../../src/client/state/timeline.ts';
import type { ChatState, ConversationView, MessageView, ParticipantView } from '#client/types';
import { must } from '#lib/must';

const ME = 'me';
const THEM = 'them';
const C = 'conversation';
const AT = '2026-01-01T00:00:00.000Z';
const user = (id: string) => ({ id, username: id, displayName: id, avatarUrl: null });

const participant = (id: string, change: Partial<ParticipantView> = {}): ParticipantView => ({
  user: user(id),
  role: 'member',
  joinedAt: AT,
  joinedSeq: 0,
  deliveredSeq: 0,
  readSeq: 0,
  version: 1,
  ...change,
});

const conversation = (change: Partial<ConversationView> = {}): ConversationView => ({
  id: C,
  type: 'direct',
  title: null,
  createdBy: ME,
  isActive: true,
  lastMessageAt: AT,
  lastSeq: 0,
  settings: {},
  participants: [participant(ME), participant(THEM)],
  lastMessage: null,
  unreadCount: 0,
  keyEpoch: 0,
  version: 1,
  myRole: 'member',
  myReadSeq: 0,
  topic: null,
  avatar: null,
  naming: null,
  titleRevision: -1,
  rekeyRequired: false,
  tally: { upTo: 0, above: [] },
  unreadStale: false,
  mutedUntil: null,
  ...change,
});

const message = (seq: number, change: Partial<MessageView> = {}): MessageView => ({
  id: `m${seq}`,
  conversationId: C,
  seq,
  senderId: THEM,
  type: 'text',
  content: { kind: 'text', body: `text ${seq}`, replyTo: null },
  isEdited: false,
  isDeleted: false,
  createdAt: new Date(Date.parse(AT) + seq * 1_000).toISOString(),
  editedAt: null,
  reactions: [],
  send: { step: 'stored' },
  acts: [],
  version: seq,
  firstKeyEpoch: 0,
  revision: 0,
  ...change,
});

const echo = (id: string): MessageView =>
  message(0, { id, seq: null, senderId: ME, send: { step: 'waiting' }, version: 0 });

const start: Change[] = [
  {
    type: 'me',
    me: { ...user(ME), email: 'me@example.org', privacy: { receipts: true, presence: true, typing: true } },
  },
  { type: 'bootstrap', conversations: [conversation()], hasMore: false },
  { type: 'window', conversationId: C, messages: [], place: 'replace', hasOlder: false, hasNewer: false },
];
const state = (...changes: Change[]): ChatState => applyChanges(EMPTY_STATE, [...start, ...changes]);
const put = (one: MessageView): Change => ({ type: 'message', message: one });
const timelineOf = (of: ChatState) => must(of.timelines[C], 'opened at the start');
const conversationOf = (of: ChatState) => must(of.conversations[C], 'there from the start');

describe('[P6] the timeline', () => {
  it('is in the order of seq, whatever the order of arrival and however often each comes', () => {
    const arrivals = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4], { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(arrivals, (seqs) => {
        const after = state(...seqs.map((seq) => put(message(seq))));
        expect(timelineOf(after).ids).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8']);
        expect(conversationOf(after)).toMatchObject({ unreadCount: 8, lastSeq: 8, lastMessage: { id: 'm8' } });
        expect(conversationOf(after).tally).toEqual({ upTo: 8, above: [] });
        expect(hasGap(timelineOf(after))).toBe(false);
      }),
    );
  });

  it('[P12] keeps the later of two states of a message', () => {
    const edited = message(1, { version: 9, isEdited: true });
    for (const changes of [
      [put(message(1)), put(edited)],
      [put(edited), put(message(1))],
    ]) {
      expect(timelineOf(state(...changes)).byId.get('m1')?.isEdited).toBe(true);
    }
  });

  it('knows when one inside is missing', () => {
    expect(hasGap(timelineOf(state(put(message(1)), put(message(3)))))).toBe(true);
  });

  it('in the past lets nothing in at the end, but counts it', () => {
    const page: Change = {
      type: 'window',
      conversationId: C,
      messages: [message(3)],
      place: 'replace',
      hasNewer: true,
    };
    const after = state(put(message(1)), put(message(2)), put(message(3)), page, put(message(4)));
    expect(timelineOf(after).ids).toEqual(['m3']);
    expect(conversationOf(after)).toMatchObject({ unreadCount: 4, lastMessage: { id: 'm4' } });
  });

  it('a page that was loading while a message came does not lose it', () => {
    const page: Change = {
      type: 'window',
      conversationId: C,
      messages: [message(1), message(2)],
      place: 'replace',
      hasNewer: false,
    };
    expect(timelineOf(state(put(message(3)), page)).ids).toEqual(['m1', 'm2', 'm3']);
  });
});

describe('my own messages', () => {
  it('wait behind the others and move to their place once stored', () => {
    const before = state({ type: 'echo', message: echo('a') }, { type: 'echo', message: echo('b') }, put(message(1)));
    expect(timelineOf(before)).toMatchObject({ ids: ['m1'], pending: ['a', 'b'] });
    const after = applyChanges(before, [put(message(2, { id: 'a', senderId: ME }))]);
    expect(timelineOf(after)).toMatchObject({ ids: ['m1', 'a'], pending: ['b'] });
    expect(timelineOf(after).byId.get('a')?.send).toEqual({ step: 'stored' });
  });

  it('a failure that comes after the message has been stored changes nothing', () => {
    const after = state({ type: 'echo', message: echo('a') }, put(message(1, { id: 'a', senderId: ME })), {
      type: 'sending',
      conversationId: C,
      messageId: 'a',
      send: { step: 'failed', reason: 'network' },
    });
    expect(timelineOf(after).byId.get('a')?.send).toEqual({ step: 'stored' });
  });

  it('discarded, are gone; stored, cannot be discarded', () => {
    const discard: Change = { type: 'discard', conversationId: C, messageId: 'a' };
    expect(timelineOf(state({ type: 'echo', message: echo('a') }, discard))).toMatchObject({ pending: [], ids: [] });
    expect(timelineOf(state(put(message(1, { id: 'a' })), discard)).ids).toEqual(['a']);
  });
});

describe('[P14] unread counts and watermarks', () => {
  const read = (userId: string, readSeq: number): Change => ({
    type: 'receipt',
    conversationId: C,
    userIds: [userId],
    deliveredSeq: readSeq,
    readSeq,
  });
  const three = [1, 2, 3].map((seq) => put(message(seq)));

  it('what I read is not unread, on whichever device', () => {
    expect(conversationOf(state(...three, read(ME, 2))).unreadCount).toBe(1);
    expect(conversationOf(state(...three, read(ME, 3))).unreadCount).toBe(0);
    expect(conversationOf(state(read(ME, 2), ...three)).unreadCount).toBe(1);
  });

  it('what I write is read, with all before it', () => {
    const after = state(...three, put(message(4, { senderId: ME })));
    expect(conversationOf(after)).toMatchObject({ unreadCount: 0, myReadSeq: 4 });
  });

  it('never move backwards', () => {
    const after = state(...three, read(THEM, 3), read(THEM, 1));
    expect(conversationOf(after).participants[1]).toMatchObject({ readSeq: 3, deliveredSeq: 3 });
  });

  it('are not lowered by an event, an answer or a snapshot: people hide what they read, and mine may still be on its way', () => {
    const before = state(...three, read(THEM, 3), read(ME, 3));
    const told = [ME, THEM].map(
      (userId): Change => ({
        type: 'participant',
        conversationId: C,
        userId,
        participant: participant(userId, { version: 99 }),
        version: 99,
      }),
    );
    const answer = conversation({ lastSeq: 3, unreadCount: 3, tally: { upTo: 3, above: [] }, version: 100 });
    const answered: Change = { type: 'conversations', conversations: [answer] };
    const snapshot: Change = { type: 'bootstrap', conversations: [answer], hasMore: false };
    for (const changes of [told, [answered], [snapshot]]) {
      const after = conversationOf(applyChanges(before, changes));
      expect(after.participants.map(({ readSeq }) => readSeq)).toEqual([3, 3]);
      expect(after).toMatchObject({ myReadSeq: 3, unreadCount: 0 });
    }
  });

  it('a message that nobody looks at counts like any other, whatever the order and however often it comes', () => {
    const arrivals = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8, 2, 5, 7], { minLength: 11, maxLength: 11 });
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 8 }), (seqs, opened) => {
        const changes = seqs.map(
          (seq): Change => (seq === opened ? put(message(seq)) : { type: 'counted', message: message(seq) }),
        );
        const after = conversationOf(applyChanges(EMPTY_STATE, [...start.slice(0, 2), ...changes]));
        expect(after).toMatchObject({ unreadCount: 8, lastSeq: 8, tally: { upTo: 8, above: [] } });
      }),
    );
  });

  it('a count that cannot be worked out from what is loaded says so', () => {
    const unloaded: Change = {
      type: 'bootstrap',
      conversations: [conversation({ lastSeq: 50, unreadCount: 50, tally: { upTo: 50, above: [] } })],
      hasMore: false,
    };
    const after = applyChanges(state(unloaded), [read(ME, 20)]);
    expect(conversationOf(after)).toMatchObject({ unreadStale: true, unreadCount: 30 });
    const answer = conversation({ lastSeq: 50, unreadCount: 17, myReadSeq: 20, tally: { upTo: 50, above: [] } });
    const settled = applyChanges(after, [{ type: 'conversations', conversations: [answer] }]);
    expect(conversationOf(settled)).toMatchObject({ unreadStale: false, unreadCount: 17 });
  });

  it('an answer older than what the feed has told takes nothing back', () => {
    const answer = conversation({ lastSeq: 1, unreadCount: 1, tally: { upTo: 1, above: [] } });
    const after = state(...three, { type: 'conversations', conversations: [answer] });
    expect(conversationOf(after)).toMatchObject({ unreadCount: 3, lastSeq: 3, lastMessage: { id: 'm3' } });
  });
});

describe('conversations and people', () => {
  it('the one with the newest message stands first', () => {
    const other = conversation({ id: 'other', lastMessageAt: '2026-01-01T00:00:00.500Z' });
    const two = applyChanges(state(), [{ type: 'conversations', conversations: [other] }]);
    expect(two.conversationIds).toEqual(['other', C]);
    expect(applyChanges(two, [put(message(1))]).conversationIds).toEqual([C, 'other']);
  });

  it('[P22] removed, I keep nothing of it', () => {
    const removal: Change = { type: 'participant', conversationId: C, userId: ME, participant: null, version: 9 };
    const after = state(put(message(1)), removal);
    expect(after).toMatchObject({ conversations: {}, conversationIds: [], timelines: {} });
  });

  it('[P13] applying an event again changes nothing at all', () => {
    const change: Change = {
      type: 'participant',
      conversationId: C,
      userId: 'new',
      participant: participant('new', { version: 5 }),
      version: 5,
    };
    const once = state(put(message(1)), change);
    const twice = applyChanges(once, [put(message(1)), change]);
    expect(twice).toEqual(once);
    expect(twice.timelines).toBe(once.timelines);
  });

  it('log-out leaves nothing', () => {
    const after = state(put(message(1)), { type: 'session', session: { status: 'signed-out', reason: 'logged-out' } });
    expect(after).toEqual({ ...EMPTY_STATE, session: { status: 'signed-out', reason: 'logged-out' } });
  });

  it('what a change does not touch keeps its identity', () => {
    const before = state(put(message(1)));
    const after = applyChanges(before, [{ type: 'connection', connection: { status: 'online' } }]);
    expect(after.timelines).toBe(before.timelines);
    expect(after.conversations).toBe(before.conversations);
  });
});
