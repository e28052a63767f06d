/** messages.*: one id, one message, one order; who may edit and delete; wrong input changes nothing. */
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  draft,
  draftReaction,
  edit,
  newDirect,
  newGroup,
  newUser,
  type Person,
  react,
  remove,
  type Room,
  seal,
  send,
} from '../harness/people.ts';
import { followLive, messagesIn } from '../harness/follow.ts';
import { refusal } from '../harness/program.ts';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
let ann: Person;
let bob: Person;
let eve: Person;
let room: Room;

beforeAll(async () => {
  server = await newServer();
  [ann, bob, eve] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob'), newUser(server, 'eve')]);
  room = await newDirect(ann, bob);
});
afterAll(async () => {
  for (const person of [ann, bob, eve]) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const stored = async (id: string) => server.db.sql`select * from messages where id = ${id}`;
const count = async (conversationId: string) => {
  const [row] = await server.db.sql`select count(*)::int as n from messages where conversation_id = ${conversationId}`;
  return row?.n as number;
};

describe('sending', () => {
  test('[P5][O1] 200 concurrent sends into one conversation get seq 1..200', async () => {
    const group = await newGroup(ann, [bob]);
    const drafts = await Promise.all(Array.from({ length: 200 }, (_, i) => draft(i % 2 ? ann : bob, group, `m${i}`)));
    const sent = await Promise.all(drafts.map((input, i) => (i % 2 ? ann : bob).api.messages.send.mutate(input)));
    expect(sent.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    const page = await bob.api.messages.list.query({ conversationId: group.id, limit: 100 });
    expect(page.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => 200 - i));
    expect(page.total).toBe(200);
  });

  test('[P6][O1] two who listen and the history agree on one order, whoever wrote at the same time', async () => {
    const group = await newGroup(ann, [bob, eve]);
    using first = await followLive(ann);
    using second = await followLive(bob);
    const writers = [ann, bob, eve] as const;
    const drafts = await Promise.all(
      Array.from({ length: 90 }, async (_, i) => {
        const writer = writers[(i % 3) as 0 | 1 | 2];
        return { writer, input: await draft(writer, group, `m${i}`) };
      }),
    );
    await Promise.all(drafts.map(({ writer, input }) => writer.api.messages.send.mutate(input)));
    const { messages } = await eve.api.messages.list.query({ conversationId: group.id, limit: 100 });
    const order = messages.map(({ id }) => id).reverse();
    expect(order).toHaveLength(90);
    for (const feed of [first, second]) {
      const heard = () => messagesIn(feed.items).filter(({ conversationId }) => conversationId === group.id);
      await expect.poll(() => heard().map(({ id }) => id)).toEqual(order);
    }
  });

  test('[P3][S1] the same id any number of times, at once: one message, the same seq in every answer', async () => {
    const input = await draft(ann, room, 'only once');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 4 ? ann.api : ann.ws).messages.send.mutate(input)),
    );
    expect(new Set(answers.map(({ seq }) => seq)).size).toBe(1);
    expect(await stored(input.id)).toHaveLength(1);
  });

  test('[P2][P4][S1] a repeat after edits answers with the current state; the stored bytes are what was sent', async () => {
    const input = await draft(ann, room, 'first');
    const sent = await ann.api.messages.send.mutate(input);
    expect(sent.contentEncrypted).toBe(input.contentEncrypted);
    const edited = await edit(ann, room, sent.id, 'second');
    const again = await ann.api.messages.send.mutate(input);
    expect(again).toEqual(edited);
    expect(again.isEdited).toBe(true);
  });

  test('[S2] the id used for other content, by someone else or elsewhere is CONFLICT and changes nothing', async () => {
    const input = await draft(ann, room, 'mine');
    await ann.api.messages.send.mutate(input);
    const before = await count(room.id);
    const other = await draft(ann, room, 'other', input.id);
    const his = await draft(bob, room, 'his', input.id);
    for (const call of [ann.api.messages.send.mutate(other), bob.api.messages.send.mutate(his)])
      expect(await refusal(call)).toMatchObject({ code: 'CONFLICT', reason: 'message_id_taken' });
    expect(await count(room.id)).toBe(before);
  });

  test('[P26] a bad envelope is told apart: format, padding, sender, conversation, revision', async () => {
    const good = await draft(ann, room, 'x');
    const bytes = Buffer.from(good.contentEncrypted, 'base64');
    const before = await count(room.id);
    const say = (contentEncrypted: string, id = good.id) =>
      refusal(ann.api.messages.send.mutate({ ...good, id, contentEncrypted }));
    expect(await say(Buffer.from('hello world, this is plain text').toString('base64'))).toMatchObject({
      code: 'BAD_REQUEST',
      reason: 'bad_format',
    });
    expect(await say('not base64!')).toMatchObject({ code: 'BAD_REQUEST' });
    const unpadded = Buffer.concat([bytes.subarray(0, bytes.length - 65), bytes.subarray(bytes.length - 64)]);
    expect(await say(unpadded.toString('base64'))).toMatchObject({ code: 'BAD_REQUEST', reason: 'not_padded' });
    expect(await say(good.contentEncrypted, uuidv7())).toMatchObject({ code: 'BAD_REQUEST', reason: 'bad_format' });
    expect(await say(await seal(bob, room, { t: 'text', body: 'x' }, { messageId: good.id }))).toMatchObject({
      reason: 'bad_format',
    });
    expect(await say(await seal(ann, room, { t: 'text' }, { messageId: good.id, revision: 1 }))).toMatchObject({
      reason: 'bad_format',
    });
    expect(await refusal(ann.api.messages.send.mutate({ ...good, keyEpoch: 1 }))).toMatchObject({
      reason: 'bad_format',
    });
    expect(await refusal(ann.api.messages.send.mutate({ ...good, messageType: 'system' }))).toMatchObject({
      reason: 'system_message_refused',
    });
    expect(await count(room.id)).toBe(before);
    await ann.api.messages.send.mutate(good);
  });

  test('[S5] an envelope for another state of the keys is epoch_stale', async () => {
    const hash = new Uint8Array(32).fill(7);
    const id = uuidv7();
    const contentEncrypted = await seal(ann, room, { t: 'text', body: 'x' }, { messageId: id, epochHash: hash });
    const call = ann.api.messages.send.mutate({ id, conversationId: room.id, contentEncrypted, keyEpoch: 0 });
    expect(await refusal(call)).toMatchObject({ code: 'CONFLICT', reason: 'epoch_stale' });
    const gen = await seal(ann, room, { t: 'text', body: 'x' }, { messageId: id, senderGen: 1 });
    const old = ann.api.messages.send.mutate({ id, conversationId: room.id, contentEncrypted: gen, keyEpoch: 0 });
    expect(await refusal(old)).toMatchObject({ code: 'CONFLICT', reason: 'identity_stale' });
    const { id: messageId } = await send(ann, room, 'to be edited');
    for (const [change, reason] of [
      [{ epochHash: hash }, 'epoch_stale'],
      [{ senderGen: 1 }, 'identity_stale'],
    ] as const) {
      const header = { messageId, type: 'edit' as const, revision: 1, ...change };
      const content = await seal(ann, room, { t: 'text', body: 'y' }, header);
      const editing = ann.api.messages.edit.mutate({ messageId, contentEncrypted: content, keyEpoch: 0 });
      expect(await refusal(editing)).toMatchObject({ code: 'CONFLICT', reason });
    }
  });

  test('[P21][W4] outsiders: sending, listing, reacting, reading states is the same NOT_FOUND as for nothing at all', async () => {
    const sent = await send(ann, room, 'secret');
    const strange = { ...(await draft(eve, room, 'let me in')) };
    const nowhere = uuidv7();
    const answers = await Promise.all([
      refusal(eve.api.messages.send.mutate(strange)),
      refusal(eve.api.messages.send.mutate({ ...strange, conversationId: nowhere })),
      refusal(eve.api.messages.list.query({ conversationId: room.id })),
      refusal(eve.api.messages.list.query({ conversationId: nowhere })),
      refusal(eve.api.messages.statuses.query({ messageId: sent.id })),
      refusal(eve.api.messages.statuses.query({ messageId: nowhere })),
      refusal(eve.api.messages.setStatus.mutate({ messageId: sent.id, status: 'read' })),
      refusal(remove(eve, room, sent.id)),
      refusal(edit(eve, room, sent.id, 'mine now')),
      refusal(react(eve, room, sent.id, '👍')),
      refusal(eve.api.messages.unreact.mutate({ messageId: sent.id, tag: Buffer.alloc(32).toString('base64') })),
    ]);
    for (const { code, reason, message } of answers)
      expect({ code, reason, message }).toEqual({ code: 'NOT_FOUND', reason: 'not_found', message: 'not found' });
  });
});

describe('editing and deleting', () => {
  test('[P12][S4] the author edits in order; a repeat is answered, a stale revision refused', async () => {
    const sent = await send(ann, room, 'v0');
    const first = await edit(ann, room, sent.id, 'v1', 1);
    expect(first).toMatchObject({ id: sent.id, seq: sent.seq, isEdited: true, firstKeyEpoch: 0 });
    expect(first.version).toBeGreaterThan(sent.version);
    expect(await refusal(edit(ann, room, sent.id, 'again', 1))).toMatchObject({ reason: 'revision_stale' });
    expect(await refusal(edit(ann, room, sent.id, 'gap', 5))).toMatchObject({ reason: 'revision_stale' });
    expect(await refusal(edit(bob, room, sent.id, 'his', 2))).toMatchObject({
      code: 'FORBIDDEN',
      reason: 'not_the_author',
    });
    const contentEncrypted = await seal(
      ann,
      room,
      { t: 'text', body: 'v2' },
      { type: 'edit', messageId: sent.id, revision: 2 },
    );
    const input = { messageId: sent.id, contentEncrypted, keyEpoch: 0 };
    const second = await ann.api.messages.edit.mutate(input);
    expect(await ann.api.messages.edit.mutate(input)).toEqual(second);
  });

  test('[P12] a tombstone takes content, edits and reactions out of the database; a second delete succeeds', async () => {
    const sent = await send(ann, room, 'to be forgotten');
    await edit(ann, room, sent.id, 'still here');
    await react(bob, room, sent.id, '👍');
    expect(await remove(ann, room, sent.id, 2)).toEqual({ success: true });
    expect(await remove(ann, room, sent.id, 3)).toEqual({ success: true });
    const [row] = await stored(sent.id);
    expect(row).toMatchObject({ is_deleted: true });
    expect(row?.content_encrypted).not.toBe(sent.contentEncrypted);
    expect(await server.db.sql`select 1 from reactions where message_id = ${sent.id}`).toHaveLength(0);
    expect(await refusal(edit(ann, room, sent.id, 'back', 3))).toMatchObject({ reason: 'message_deleted' });
    expect(await refusal(react(bob, room, sent.id, '👍'))).toMatchObject({ reason: 'message_deleted' });
  });

  test('[S3][W4] without the right: FORBIDDEN, also when the envelope is malformed', async () => {
    const sent = await send(ann, room, 'mine');
    for (const contentEncrypted of [
      'garbage',
      await seal(bob, room, {}, { type: 'delete', messageId: sent.id, revision: 1 }),
    ])
      expect(await refusal(bob.api.messages.delete.mutate({ messageId: sent.id, contentEncrypted }))).toMatchObject({
        code: 'FORBIDDEN',
      });
    const call = bob.api.messages.edit.mutate({ messageId: sent.id, contentEncrypted: 'AAAA', keyEpoch: 0 });
    expect(await refusal(call)).toMatchObject({ code: 'FORBIDDEN' });
  });

  test("an admin removes anyone's message, a member only his own", async () => {
    const group = await newGroup(ann, [bob, eve]);
    const his = await send(bob, group, 'rude');
    expect(await refusal(remove(eve, group, his.id))).toMatchObject({ code: 'FORBIDDEN' });
    expect(await remove(ann, group, his.id)).toEqual({ success: true });
  });
});

describe('reactions', () => {
  test('one of each per person, counted by blind tags, with mine for who asks', async () => {
    const sent = await send(ann, room, 'nice');
    await react(ann, room, sent.id, '👍');
    const both = await react(bob, room, sent.id, '👍');
    expect(both).toHaveLength(1);
    expect(both[0]).toMatchObject({ count: 2, mine: true, userIds: [ann.userId, bob.userId] });
    expect(await refusal(react(bob, room, sent.id, '👍'))).toMatchObject({
      code: 'CONFLICT',
      reason: 'already_reacted',
    });
    const party = await draftReaction(bob, room, sent.id, '🎉');
    const three = await bob.api.messages.react.mutate(party);
    expect(await bob.api.messages.react.mutate(party)).toEqual(three);
    expect(three.map(({ count: n }) => n)).toEqual([2, 1]);
    const left = await bob.api.messages.unreact.mutate({ messageId: sent.id, tag: party.tag });
    expect(await bob.api.messages.unreact.mutate({ messageId: sent.id, tag: party.tag })).toEqual(left);
    expect(left).toHaveLength(1);
    const page = await ann.api.messages.list.query({ conversationId: room.id, limit: 1 });
    expect(page.messages[0]?.reactions).toEqual([expect.objectContaining({ count: 2, mine: true })]);
  });
});

describe('history', () => {
  test('pages go back to the beginning and forth again, whole and in order; a bad cursor is BAD_REQUEST', async () => {
    const group = await newGroup(ann, [bob]);
    for (let i = 0; i < 25; i++) await send(ann, group, `m${i}`);
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof ann.api.messages.list.query>> = await ann.api.messages.list.query({
        conversationId: group.id,
        limit: 10,
        cursor,
      });
      expect(page.total).toBe(25);
      seen.push(...page.messages.map(({ seq }) => seq));
      cursor = page.nextCursor;
    } while (cursor);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => 25 - i));
    const newest = await ann.api.messages.list.query({ conversationId: group.id, limit: 10 });
    expect(newest.prevCursor).toBeNull();
    const older = await ann.api.messages.list.query({ conversationId: group.id, limit: 10, cursor: newest.nextCursor });
    const back = await ann.api.messages.list.query({ conversationId: group.id, limit: 10, cursor: older.prevCursor });
    expect(back.messages).toEqual(newest.messages);
    const middle = older.messages[5];
    const around = await ann.api.messages.list.query({ conversationId: group.id, limit: 5, around: middle?.id });
    expect(around.messages.map(({ seq }) => seq)).toContain(middle?.seq);
    expect(around.messages).toHaveLength(5);
    for (const bad of ['x', older.nextCursor?.slice(3) ?? '', Buffer.from('["o","a"]').toString('base64url')])
      expect(await refusal(ann.api.messages.list.query({ conversationId: group.id, cursor: bad }))).toMatchObject({
        code: 'BAD_REQUEST',
        reason: 'bad_cursor',
      });
  });
});

describe('receipts', () => {
  test('[P14][G4] watermarks only grow, are clamped, and cover everything before', async () => {
    const group = await newGroup(ann, [bob]);
    const sent = [];
    for (let i = 0; i < 5; i++) sent.push(await send(ann, group, `m${i}`));
    const unread = async () => (await bob.api.conversations.get.query({ conversationId: group.id })).unreadCount;
    expect(await unread()).toBe(5);
    const third = sent[2]?.id ?? '';
    expect(await bob.api.messages.setStatus.mutate({ messageId: third, status: 'delivered' })).toEqual({
      messageId: third,
      status: 'delivered',
    });
    expect(await bob.api.messages.setStatus.mutate({ messageId: third, status: 'read' })).toMatchObject({
      status: 'read',
    });
    expect(await bob.api.messages.setStatus.mutate({ messageId: third, status: 'delivered' })).toMatchObject({
      status: 'read',
    });
    expect(await unread()).toBe(2);
    const advance = (input: { readSeq?: number; deliveredSeq?: number }) =>
      bob.api.receipts.advance.mutate({ conversationId: group.id, ...input });
    expect(await advance({ readSeq: 1 })).toEqual({ conversationId: group.id, deliveredSeq: 3, readSeq: 3 });
    expect(await advance({ deliveredSeq: 99 })).toMatchObject({ deliveredSeq: 5, readSeq: 3 });
    const statuses = await ann.api.messages.statuses.query({ messageId: sent[4]?.id ?? '' });
    expect(statuses).toEqual([
      { userId: bob.userId, status: 'delivered', deliveredAt: expect.any(String), readAt: null },
    ]);
    await send(bob, group, 'answering is reading');
    expect(await unread()).toBe(0);
    const read = await ann.api.messages.statuses.query({ messageId: sent[4]?.id ?? '' });
    expect(read[0]).toMatchObject({ status: 'read', readAt: expect.any(String) });
    const view = await server.db.sql`select status_type from message_statuses where message_id = ${sent[0]?.id ?? ''}`;
    expect(view).toEqual([{ status_type: 'read' }]);
  });
});
