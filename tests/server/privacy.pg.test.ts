/** What people show of themselves: hidden from others by the server, and nobody sees of others what he hides himself. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { followLive, sleep, watchPresence, watchReceipts, watchTyping } from '../harness/follow.ts';
import { newDirect, newUser, type Person, type Room, send } from '../harness/people.ts';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
let ann: Person;
let bob: Person;
let room: Room;

beforeAll(async () => {
  server = await newServer();
});
beforeEach(async () => {
  [ann, bob] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob')]);
  room = await newDirect(ann, bob);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const share = (person: Person, privacy: { receipts?: boolean; presence?: boolean; typing?: boolean }) =>
  person.api.users.update.mutate({ privacy });
const readBy = async (viewer: Person, of: Person) => {
  const { participants } = await viewer.api.conversations.get.query({ conversationId: room.id });
  return participants.find(({ user }) => user.id === of.userId)?.readSeq;
};

test('[G5] everything is shared until somebody says otherwise, and what is not named stays as it is', async () => {
  expect((await bob.api.users.me.query()).privacy).toEqual({ receipts: true, presence: true, typing: true });
  await share(bob, { receipts: false });
  expect((await share(bob, { typing: false })).privacy).toEqual({ receipts: false, presence: true, typing: false });
  expect((await bob.api.sync.bootstrap.query()).user.privacy.receipts).toBe(false);
});

test('[P14][G5] hidden reading: delivered is told, read is not; my own devices know; shown again, it is what it is', async () => {
  const first = await send(ann, room, 'one');
  await bob.api.receipts.advance.mutate({ conversationId: room.id, readSeq: first.seq });
  await share(bob, { receipts: false });
  const second = await send(ann, room, 'two');
  using hers = watchReceipts(ann);
  using his = watchReceipts(bob);
  await sleep(200);
  await bob.api.messages.setStatus.mutate({ messageId: second.id, status: 'delivered' });
  await hers.until(({ deliveredSeq }) => deliveredSeq === second.seq);
  await bob.api.messages.setStatus.mutate({ messageId: second.id, status: 'read' });
  await his.until(({ readSeq }) => readSeq === second.seq);
  await sleep(100);
  expect(hers.items.map(({ readSeq }) => readSeq)).toEqual([first.seq]);
  expect(await readBy(ann, bob)).toBe(first.seq);
  expect(await readBy(bob, bob)).toBe(second.seq);
  expect((await bob.api.conversations.list.query()).conversations[0]?.unreadCount).toBe(0);
  expect(await ann.api.messages.statuses.query({ messageId: first.id })).toMatchObject([{ status: 'read' }]);
  expect(await ann.api.messages.statuses.query({ messageId: second.id })).toMatchObject([
    { status: 'delivered', readAt: null },
  ]);
  const rows = await server.db.sql`select status_type from message_statuses where message_id = ${second.id}`;
  expect(rows.map((row) => row.status_type)).toEqual(['delivered']);
  using feed = await followLive(ann);
  await share(bob, { receipts: true });
  await feed.until((event) => event.type === 'participant' && event.participant?.readSeq === second.seq);
  expect(await readBy(ann, bob)).toBe(second.seq);
});

test('[P13][P14][G5] another device of mine, back from an absence, knows how far I have read', async () => {
  await share(bob, { receipts: false });
  const before = await followLive(bob);
  const cursor = before.ids.at(-1);
  before[Symbol.dispose]();
  const { id, seq } = await send(ann, room, 'read on one device');
  await bob.api.messages.setStatus.mutate({ messageId: id, status: 'read' });
  using feed = await followLive(bob, cursor);
  const own = feed.items.flatMap((event) =>
    event.type === 'participant' && event.userId === bob.userId ? [event.participant?.readSeq] : [],
  );
  expect(own).toEqual([seq]);
  using hers = await followLive(ann, undefined);
  expect(hers.items).toHaveLength(1);
  expect(await readBy(ann, bob)).toBe(0);
});

test('[P14][G5] answering does not tell that one has read', async () => {
  await share(bob, { receipts: false });
  await send(ann, room, 'one');
  using hers = watchReceipts(ann);
  await sleep(200);
  await send(bob, room, 'an answer');
  await hers.until(({ deliveredSeq }) => deliveredSeq === 2);
  expect(hers.items.every(({ readSeq }) => readSeq === 0)).toBe(true);
  const { sql } = server.db;
  const kinds = await sql`select kind from receipts where conversation_id = ${room.id} and user_id = ${bob.userId}`;
  expect(kinds.map((row) => row.kind)).toEqual(['delivered']);
});

test('[G5] who hides what he reads does not see what others read: lists, statuses, signals, feed, resume', async () => {
  const before = await followLive(bob);
  const cursor = before.ids.at(-1);
  before[Symbol.dispose]();
  await share(bob, { receipts: false });
  const mine = await send(bob, room, 'did you read this?');
  using signals = watchReceipts(bob);
  await sleep(200);
  await ann.api.messages.setStatus.mutate({ messageId: mine.id, status: 'read' });
  await signals.until(({ userId }) => userId === ann.userId);
  expect(signals.items.filter(({ userId }) => userId === ann.userId).every(({ readSeq }) => readSeq === 0)).toBe(true);
  expect(await readBy(bob, ann)).toBe(0);
  const [status] = await bob.api.messages.statuses.query({ messageId: mine.id });
  expect(status).toMatchObject({ status: 'delivered', readAt: null });
  using feed = await followLive(bob, cursor);
  const seen = feed.items.flatMap((event) =>
    event.type === 'participant' && event.userId === ann.userId ? [event] : [],
  );
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.every(({ participant }) => participant?.readSeq === 0)).toBe(true);
  expect(await readBy(ann, ann)).toBe(mine.seq);
});

test('[G5][P5] who hides what he reads while a message of his is being written waits for it, and it for nobody', async () => {
  const { sql } = server.db;
  const waiting = async () => {
    const rows =
      await sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return rows.length;
  };
  let both: Promise<unknown> = Promise.resolve();
  await sql.begin(async (tx) => {
    await tx`select from conversations where id = ${room.id} for update`;
    const sent = send(bob, room, 'first in the queue');
    await expect.poll(waiting).toBe(1);
    both = Promise.all([sent, share(bob, { receipts: false })]);
    both.catch(() => {});
    await expect.poll(waiting).toBe(2);
  });
  await both;
  expect(await readBy(bob, bob)).toBe(1);
});

test('[G5] the choice holds in conversations made later', async () => {
  await share(bob, { receipts: false });
  const cyd = await newUser(server, 'cyd');
  const later = await newDirect(cyd, bob);
  const { id } = await send(cyd, later, 'hello');
  await bob.api.messages.setStatus.mutate({ messageId: id, status: 'read' });
  expect(await cyd.api.messages.statuses.query({ messageId: id })).toMatchObject([{ status: 'delivered' }]);
});

test('[G5] hidden presence: offline to others and others to oneself, told at once, and back', async () => {
  using seen = watchPresence(ann, [bob.userId]);
  await bob.ws.users.me.query();
  const online = seen.items.indexOf(await seen.until(({ status }) => status === 'online'));
  await share(bob, { presence: false });
  // Not the one of the beginning, when he was not there yet.
  await seen.until(
    (signal) => seen.items.indexOf(signal) > online && signal.status === 'offline' && signal.lastSeenAt === null,
  );
  expect(await ann.api.presence.get.query({ userIds: [bob.userId] })).toMatchObject([{ status: 'offline' }]);
  expect(await bob.api.presence.get.query({ userIds: [ann.userId] })).toMatchObject([{ status: 'offline' }]);
  const count = seen.items.length;
  await share(bob, { presence: true });
  await seen.until((signal) => seen.items.indexOf(signal) >= count && signal.status === 'online');
});

test('[G5] hidden typing is told to nobody, and others’ typing not to who hides his', async () => {
  using his = watchTyping(bob);
  using hers = watchTyping(ann);
  await sleep(200);
  await share(bob, { typing: false });
  await bob.ws.typing.set.mutate({ conversationId: room.id, isTyping: true });
  await ann.ws.typing.set.mutate({ conversationId: room.id, isTyping: true });
  await sleep(200);
  expect([his.items, hers.items]).toEqual([[], []]);
  await share(bob, { typing: true });
  await ann.ws.typing.set.mutate({ conversationId: room.id, isTyping: true });
  await his.until(({ isTyping }) => isTyping);
});
