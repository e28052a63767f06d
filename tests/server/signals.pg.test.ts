/** typing, presence and receipts: told to those who may see them, and to nobody else. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followLive, sleep, watchPresence, watchReceipts, watchTyping } from '../harness/follow.ts';
import { newDirect, newGroup, newUser, type Person, type Room, send } from '../harness/people.ts';
import { newProgram, refusal } from '../harness/program.ts';
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

test('[P21][G2] typing reaches the other person, not my own devices, and no outsider', async () => {
  using his = watchTyping(bob);
  using mine = watchTyping(ann, room.id);
  using hers = watchTyping(eve);
  await sleep(300);
  await ann.ws.typing.set.mutate({ conversationId: room.id, isTyping: true });
  expect(await his.until(({ isTyping }) => isTyping)).toMatchObject({ conversationId: room.id, userId: ann.userId });
  await ann.api.typing.set.mutate({ conversationId: room.id, isTyping: false });
  await his.until(({ isTyping }) => !isTyping);
  await sleep(100);
  expect([mine.items, hers.items]).toEqual([[], []]);
  const watching = eve.api.typing.onChange;
  const refused = await new Promise((resolve) => {
    watching.subscribe({ conversationId: room.id }, { onError: resolve });
  });
  expect(refused).toMatchObject({ data: { code: 'NOT_FOUND', reason: 'not_found' } });
});

test('[P22] typing of the connected asks no database, and is refused from the moment one is out or all of it is archived', async () => {
  const [group, old] = [await newGroup(ann, [bob]), await newGroup(ann, [bob])];
  const type = ({ id }: Room) => bob.ws.typing.set.mutate({ conversationId: id, isTyping: true });
  using hers = watchTyping(ann);
  using _his = await followLive(bob);
  await sleep(300);
  // Nobody can read memberships while this transaction lasts.
  await server.db.sql.begin(async (tx) => {
    await tx`lock table conversation_participants in access exclusive mode`;
    await type(group);
    await type(old);
  });
  for (const { id } of [group, old]) await hers.until(({ conversationId }) => conversationId === id);
  await bob.api.conversations.removeParticipant.mutate({ conversationId: group.id, userId: bob.userId });
  expect(await refusal(type(group))).toMatchObject({ code: 'NOT_FOUND' });
  await ann.api.conversations.archive.mutate({ conversationId: old.id });
  expect(await refusal(type(old))).toMatchObject({ code: 'CONFLICT', reason: 'conversation_archived' });
});

test('[G2] typing that is not refreshed ends by itself', async () => {
  using his = watchTyping(bob);
  await sleep(300);
  await ann.ws.typing.set.mutate({ conversationId: room.id, isTyping: true });
  await his.until(({ isTyping }) => !isTyping);
});

test('[P14][G1] receipts go to both people, on all their devices, once per move', async () => {
  using his = watchReceipts(bob);
  using mine = watchReceipts(ann);
  await sleep(300);
  const { seq } = await send(ann, room, 'read me');
  const advance = () => bob.ws.receipts.advance.mutate({ conversationId: room.id, readSeq: seq });
  await Promise.all([advance(), advance(), advance()]);
  await mine.until((signal) => signal.userId === bob.userId && signal.readSeq === seq);
  await his.until((signal) => signal.userId === bob.userId && signal.readSeq === seq);
  await sleep(100);
  expect(mine.items.filter((signal) => signal.userId === bob.userId)).toHaveLength(1);
});

test('[G3] presence: first the current state, then transitions; many sockets are one person; strangers look offline', async () => {
  const desk = newProgram(server, { token: bob.token });
  const phone = newProgram(server, { token: bob.token });
  using seen = watchPresence(ann, [bob.userId, eve.userId]);
  using hidden = watchPresence(eve, [bob.userId]);
  await seen.until(({ userId }) => userId === eve.userId);
  await desk.ws.users.me.query();
  await phone.ws.users.me.query();
  await seen.until(({ userId, status }) => userId === bob.userId && status === 'online');
  expect(await ann.api.presence.get.query({ userIds: [bob.userId, eve.userId] })).toEqual([
    { userId: bob.userId, status: 'online', lastSeenAt: null },
    { userId: eve.userId, status: 'offline', lastSeenAt: null },
  ]);
  await desk.ws.presence.set.mutate({ status: 'away' });
  await seen.until(({ userId, status }) => userId === bob.userId && status === 'away');
  await desk[Symbol.asyncDispose]();
  await sleep(500);
  expect((await ann.api.presence.get.query({ userIds: [bob.userId] }))[0]?.status).toBe('away');
  await phone[Symbol.asyncDispose]();
  const count = seen.items.length;
  await seen.until(
    (signal) => seen.items.indexOf(signal) >= count && signal.status === 'offline' && signal.lastSeenAt !== null,
  );
  expect(hidden.items.every(({ status, lastSeenAt }) => status === 'offline' && lastSeenAt === null)).toBe(true);
  const many = Array.from({ length: 501 }, () => bob.userId);
  expect(await refusal(ann.api.presence.get.query({ userIds: many }))).toMatchObject({ code: 'BAD_REQUEST' });
});
