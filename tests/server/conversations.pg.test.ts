/** conversations.* and keys.*: pairs, groups, roles, epochs; who may what; everything or nothing. */
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { add, newPerson } from '../crypto/people.ts';
import {
  draft,
  draftEpoch,
  newDirect,
  newGroup,
  newUser,
  op,
  type Person,
  type Room,
  sealTitle,
  send,
} from '../harness/people.ts';
import { refusal } from '../harness/program.ts';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
let people: Person[];
let ann: Person;
let bob: Person;
let cyd: Person;
let dan: Person;

beforeAll(async () => {
  server = await newServer();
  people = await Promise.all(['ann', 'bob', 'cyd', 'dan'].map((name) => newUser(server, name)));
  [ann, bob, cyd, dan] = people as [Person, Person, Person, Person];
});
afterAll(async () => {
  for (const person of people) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const inConversation = async (id: string) =>
  server.db.sql`select user_id, role from conversation_participants where conversation_id = ${id} and left_at is null`;

/** Adds somebody with an epoch of the right kind, and moves the room on. */
async function addTo(room: Room, author: Person, newcomer: Person, role: 'member' | 'moderator' | 'admin' = 'member') {
  const rank = ['member', 'moderator', 'admin'].indexOf(role) as 0 | 1 | 2;
  const all = [...room.people, newcomer];
  const { authored, epoch } = await draftEpoch(author, all, { kind: 'ratchet', ops: [op.add(newcomer, rank)] }, room);
  const input = { conversationId: room.id, userId: newcomer.userId, role, epoch };
  const answer = await author.api.conversations.addParticipant.mutate(input);
  room.epoch = authored;
  room.people = all;
  return { answer, input };
}

async function rotateOut(room: Room, author: Person, leaver: Person) {
  const stay = room.people.filter((person) => person !== leaver);
  return { stay, ...(await draftEpoch(author, stay, { kind: 'rotate', ops: [op.remove(leaver)] }, room)) };
}

describe('direct', () => {
  test('the same pair always gets the same conversation, whoever asks and however often at once', async () => {
    const offers = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        const [me, you] = i % 2 ? ([ann, cyd] as const) : ([cyd, ann] as const);
        const ops = [add(me), add(you)];
        const { authored, epoch } = await draftEpoch(me, [me, you], { kind: 'create', direct: true, ops });
        return { me, input: { id: authored.state.record.conversationId, userId: you.userId, epoch } };
      }),
    );
    const made = await Promise.all(offers.map(({ me, input }) => me.api.conversations.createDirect.mutate(input)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(made[0]).toMatchObject({
      type: 'direct',
      title: null,
      unreadCount: 0,
      lastSeq: 0,
      keyEpoch: 0,
      lastMessage: null,
    });
    expect(made[0]?.participants.map(({ role }) => role)).toEqual(['member', 'member']);
  });

  test('with myself, with nobody, with an epoch of other people: refused, nothing made', async () => {
    const [before] = await server.db.sql`select count(*) from conversations`;
    const { authored, epoch } = await draftEpoch(ann, [ann, dan], {
      kind: 'create',
      direct: true,
      ops: [add(ann), add(dan)],
    });
    const id = authored.state.record.conversationId;
    const call = (userId: string, change = {}) =>
      refusal(ann.api.conversations.createDirect.mutate({ id, userId, epoch, ...change }));
    expect(await call(ann.userId)).toMatchObject({ code: 'BAD_REQUEST', reason: 'self_conversation' });
    expect(await call(uuidv7())).toMatchObject({ code: 'NOT_FOUND' });
    expect(await call(bob.userId)).toMatchObject({ code: 'BAD_REQUEST', reason: 'bad_format' });
    expect(await call(dan.userId, { epoch: { ...epoch, wraps: epoch.wraps.slice(1) } })).toMatchObject({
      reason: 'bad_format',
    });
    const twice = [epoch.wraps[0], epoch.wraps[0]] as typeof epoch.wraps;
    expect(await call(dan.userId, { epoch: { ...epoch, wraps: twice } })).toMatchObject({ reason: 'bad_format' });
    const impostor = { ...dan, ...(await newPerson({ userId: dan.userId })) };
    const ops = [add(ann), add(impostor)];
    const swapped = await draftEpoch(ann, [ann, impostor], { kind: 'create', direct: true, ops, id });
    expect(await call(dan.userId, { epoch: swapped.epoch })).toMatchObject({
      code: 'CONFLICT',
      reason: 'identity_stale',
    });
    const forged = { ...epoch, sig: Buffer.alloc(64, 1).toString('base64') };
    expect(await call(dan.userId, { epoch: forged })).toMatchObject({ code: 'BAD_REQUEST', reason: 'bad_signature' });
    expect(await call(dan.userId, { id: uuidv7() })).toMatchObject({ reason: 'bad_format' });
    expect(await server.db.sql`select count(*) from conversations`).toEqual([before]);
  });

  test('nobody leaves, adds, renames or archives a direct conversation', async () => {
    const room = await newDirect(ann, bob);
    const { epoch } = await draftEpoch(ann, [ann, bob], { kind: 'rotate', ops: [] }, room);
    const conversationId = room.id;
    const fixed = [
      ann.api.conversations.removeParticipant.mutate({ conversationId, userId: ann.userId }),
      ann.api.conversations.removeParticipant.mutate({ conversationId, userId: bob.userId }),
      ann.api.conversations.addParticipant.mutate({ conversationId, userId: cyd.userId, epoch }),
      ann.api.conversations.update.mutate({ conversationId, settings: { a: 1 } }),
      ann.api.conversations.archive.mutate({ conversationId }),
    ];
    for (const answer of await Promise.all(fixed.map((call) => refusal(call))))
      expect(answer).toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('groups', () => {
  test('created whole: title, roles, wraps for exactly everyone; the same again is a retry, the id elsewhere a conflict', async () => {
    const ops = [add(ann, 2), add(bob), add(cyd)];
    const { authored, epoch } = await draftEpoch(ann, [ann, bob, cyd], { kind: 'create', ops });
    const room: Room = { id: authored.state.record.conversationId, epoch: authored, people: [ann, bob, cyd] };
    const input = {
      id: room.id,
      title: await sealTitle(ann, room, 'Trip', 0),
      participantIds: [bob.userId, cyd.userId],
      epoch,
    };
    const bad = { ...input, title: Buffer.from('A plain title is refused').toString('base64') };
    expect(await refusal(ann.api.conversations.createGroup.mutate(bad))).toMatchObject({ reason: 'bad_format' });
    expect(await inConversation(room.id)).toHaveLength(0);
    const made = await ann.api.conversations.createGroup.mutate(input);
    expect(made).toMatchObject({
      type: 'group',
      title: input.title,
      createdBy: ann.userId,
      isActive: true,
      settings: {},
    });
    expect(new Map(made.participants.map((p) => [p.user.id, p.role])).get(ann.userId)).toBe('admin');
    expect(await ann.api.conversations.createGroup.mutate(input)).toEqual(made);
    expect(await refusal(bob.api.conversations.createGroup.mutate(input))).toMatchObject({ code: 'BAD_REQUEST' });
    const own = await bob.api.keys.wraps.query({ conversationId: room.id });
    expect(own).toHaveLength(1);
    expect(await bob.api.keys.epochs.query({ conversationId: room.id })).toEqual([
      { epoch: 0, record: epoch.record, sig: epoch.sig, seq: 0 },
    ]);
  });

  test('[P21] for outsiders nothing of it exists', async () => {
    const room = await newGroup(ann, [bob]);
    const nowhere = uuidv7();
    const { epoch } = await draftEpoch(dan, [...room.people, dan], { kind: 'create', ops: [add(dan, 2)], id: room.id });
    const calls = (conversationId: string) => [
      dan.api.conversations.get.query({ conversationId }),
      dan.api.conversations.update.mutate({ conversationId, settings: {} }),
      dan.api.conversations.archive.mutate({ conversationId }),
      dan.api.conversations.removeParticipant.mutate({ conversationId, userId: dan.userId }),
      dan.api.conversations.setRole.mutate({ conversationId, userId: bob.userId, role: 'admin', epoch }),
      dan.api.keys.epochs.query({ conversationId }),
      dan.api.keys.wraps.query({ conversationId }),
      dan.api.keys.grants.query({ conversationId }),
      dan.api.receipts.advance.mutate({ conversationId, readSeq: 1 }),
      dan.api.typing.set.mutate({ conversationId, isTyping: true }),
    ];
    const here = await Promise.all(calls(room.id).map((call) => refusal(call)));
    const there = await Promise.all(calls(nowhere).map((call) => refusal(call)));
    expect(here).toEqual(there);
    for (const answer of here) expect(answer).toMatchObject({ code: 'NOT_FOUND', reason: 'not_found' });
  });

  test('a member may not; a moderator adds and removes members; an admin everything', async () => {
    const room = await newGroup(ann, [bob, cyd]);
    const conversationId = room.id;
    const role = async (by: Person, of: Person, to: 0 | 1 | 2) => {
      const { authored, epoch } = await draftEpoch(by, room.people, { kind: 'ratchet', ops: [op.role(of, to)] }, room);
      const input = { conversationId, userId: of.userId, role: (['member', 'moderator', 'admin'] as const)[to], epoch };
      const answer = await by.api.conversations.setRole.mutate(input);
      room.epoch = authored;
      return answer;
    };
    const asAdmin = await draftEpoch(ann, room.people, { kind: 'ratchet', ops: [op.role(cyd, 1)] }, room);
    const byBob = { conversationId, userId: cyd.userId, role: 'moderator' as const, epoch: asAdmin.epoch };
    expect(await refusal(bob.api.conversations.setRole.mutate(byBob))).toMatchObject({ code: 'FORBIDDEN' });
    const rename = { conversationId, title: await sealTitle(bob, room, 'Mine', 1) };
    expect(await refusal(bob.api.conversations.update.mutate(rename))).toMatchObject({
      code: 'FORBIDDEN',
      reason: 'role_too_low',
    });
    await role(ann, bob, 1);
    const titled = { conversationId, title: await sealTitle(bob, room, 'Ours', 1) };
    const renamed = await bob.api.conversations.update.mutate(titled);
    expect(renamed.title).toBe(titled.title);
    expect(await bob.api.conversations.update.mutate(titled)).toEqual(renamed);
    expect(
      await refusal(bob.api.conversations.update.mutate({ conversationId, title: await sealTitle(bob, room, 'X', 1) })),
    ).toMatchObject({
      reason: 'revision_stale',
    });
    await addTo(room, bob, dan);
    expect((await ann.api.conversations.get.query({ conversationId })).participants).toHaveLength(4);
    const out = await rotateOut(room, bob, ann);
    expect(
      await refusal(
        bob.api.conversations.removeParticipant.mutate({ conversationId, userId: ann.userId, epoch: out.epoch }),
      ),
    ).toMatchObject({ code: 'FORBIDDEN', reason: 'role_too_low' });
    const removal = await rotateOut(room, bob, dan);
    const input = { conversationId, userId: dan.userId, epoch: removal.epoch };
    const after = await bob.api.conversations.removeParticipant.mutate(input);
    expect(after).toMatchObject({ keyEpoch: 3 });
    expect(await bob.api.conversations.removeParticipant.mutate(input)).toEqual(after);
    expect(await refusal(dan.api.conversations.get.query({ conversationId }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await refusal(bob.api.conversations.archive.mutate({ conversationId }))).toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  test('the last admin cannot leave or step down; who leaves makes the next sender rotate', async () => {
    const room = await newGroup(ann, [bob, cyd]);
    const conversationId = room.id;
    const leave = (person: Person) =>
      person.api.conversations.removeParticipant.mutate({ conversationId, userId: person.userId });
    expect(await refusal(leave(ann))).toMatchObject({ code: 'CONFLICT', reason: 'last_admin' });
    const down = await draftEpoch(ann, room.people, { kind: 'ratchet', ops: [op.role(ann, 0)] }, room);
    const step = { conversationId, userId: ann.userId, role: 'member' as const, epoch: down.epoch };
    expect(await refusal(ann.api.conversations.setRole.mutate(step))).toMatchObject({ reason: 'last_admin' });
    await leave(bob);
    expect((await ann.api.conversations.get.query({ conversationId })).rekeyRequired).toBe(true);
    expect(await refusal(send(cyd, room, 'too early'))).toMatchObject({ code: 'CONFLICT', reason: 'rekey_required' });
    const lazy = await draftEpoch(cyd, [ann, cyd], { kind: 'rotate', ops: [] }, room).catch((error: unknown) => error);
    expect(lazy).toBeDefined();
    const rotation = await rotateOut(room, cyd, bob);
    const rotated = await cyd.api.keys.rotate.mutate({ conversationId, epoch: rotation.epoch });
    expect(rotated).toMatchObject({ rekeyRequired: false, keyEpoch: 1 });
    const late = await draftEpoch(ann, room.people, { kind: 'rotate', ops: [op.remove(bob)] }, room);
    expect(await refusal(ann.api.keys.rotate.mutate({ conversationId, epoch: late.epoch }))).toMatchObject({
      code: 'CONFLICT',
      reason: 'epoch_conflict',
    });
    room.epoch = rotation.authored;
    expect((await send(cyd, room, 'now')).seq).toBe(1);
  });

  test('a rotation is no cover for putting somebody out', async () => {
    const room = await newGroup(ann, [bob, cyd]);
    const { epoch } = await rotateOut(room, bob, cyd);
    expect(await refusal(bob.api.keys.rotate.mutate({ conversationId: room.id, epoch }))).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await inConversation(room.id)).toHaveLength(3);
  });

  test('a newcomer sees nothing from before: list, total, around, last message', async () => {
    const room = await newGroup(ann, [bob]);
    const early = await send(ann, room, 'before');
    const { answer, input } = await addTo(room, ann, cyd);
    expect(answer.participants.find(({ user }) => user.id === cyd.userId)).toMatchObject({ joinedSeq: 1, readSeq: 1 });
    expect(await ann.api.conversations.addParticipant.mutate(input)).toMatchObject({ keyEpoch: 1 });
    const conversationId = room.id;
    const seen = await cyd.api.conversations.get.query({ conversationId });
    expect(seen).toMatchObject({ lastMessage: null, unreadCount: 0, lastSeq: 1 });
    expect(await cyd.api.messages.list.query({ conversationId })).toMatchObject({
      messages: [],
      total: 0,
      nextCursor: null,
    });
    expect(await refusal(cyd.api.messages.list.query({ conversationId, around: early.id }))).toMatchObject({
      code: 'NOT_FOUND',
    });
    await send(bob, room, 'after');
    const page = await cyd.api.messages.list.query({ conversationId });
    expect(page).toMatchObject({ total: 1, nextCursor: null });
    const again = { ...input, epoch: (await draftEpoch(ann, room.people, { kind: 'rotate', ops: [] }, room)).epoch };
    expect(await refusal(ann.api.conversations.addParticipant.mutate(again))).toMatchObject({
      reason: 'already_a_participant',
    });
  });

  test('an archived group can be read, takes no changes, and is in no list', async () => {
    const room = await newGroup(ann, [bob]);
    await send(ann, room, 'x');
    const conversationId = room.id;
    expect(await ann.api.conversations.archive.mutate({ conversationId })).toMatchObject({ isActive: false });
    expect(await ann.api.conversations.archive.mutate({ conversationId })).toMatchObject({ isActive: false });
    expect(await refusal(ann.api.messages.send.mutate(await draft(ann, room, 'y')))).toMatchObject({
      reason: 'conversation_archived',
    });
    const list = await ann.api.conversations.list.query({});
    expect(list.conversations.map(({ id }) => id)).not.toContain(conversationId);
  });
});

test('conversations.list: newest activity first, paged, with a total', async () => {
  const eva = await newUser(server, 'eva');
  const rooms = [];
  for (let i = 0; i < 7; i++) rooms.push(await newGroup(eva, [ann], `g${i}`));
  const [first] = rooms as [Room, ...Room[]];
  await send(ann, first, 'to the top');
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof eva.api.conversations.list.query>> = await eva.api.conversations.list.query({
      limit: 3,
      cursor,
    });
    expect(page.total).toBe(7);
    seen.push(...page.conversations.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor);
  expect(seen).toEqual([
    first.id,
    ...rooms
      .slice(1)
      .reverse()
      .map(({ id }) => id),
  ]);
  const [top] = (await eva.api.conversations.list.query({ limit: 1 })).conversations;
  expect(top).toMatchObject({ unreadCount: 1, lastMessage: { senderId: ann.userId, seq: 1 } });
  expect(await refusal(eva.api.conversations.list.query({ cursor: 'nonsense' }))).toMatchObject({
    reason: 'bad_cursor',
  });
  await eva[Symbol.asyncDispose]();
});
