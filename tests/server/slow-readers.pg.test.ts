/** Readers that stop reading: each costs a bounded number of bytes and is cut; the others notice nothing (P16). */
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { uuidv7 } from 'uuidv7';
import WebSocket from 'ws';
import { sendMessage } from '#server/domain/messages';
import { followLive, messagesIn, sleep } from '../harness/follow.ts';
import { newGroup, newUser, type Person, type Room, seal } from '../harness/people.ts';
import { newServer, type TestServer } from '../harness/server.ts';

const STALLED = 5;
let server: TestServer;
let ann: Person;
let bob: Person;
let room: Room;

beforeAll(async () => {
  server = await newServer();
  [ann, bob] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob')]);
  room = await newGroup(ann, [bob]);
});
afterAll(async () => {
  for (const person of [ann, bob]) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** A socket of Bob's that is subscribed, and from a given moment on reads nothing any more. */
async function stall(path = 'feed.follow', input: object = {}) {
  const socket = new WebSocket(`${server.wsUrl}?connectionParams=1`);
  await once(socket, 'open');
  socket.send(JSON.stringify({ method: 'connectionParams', data: { token: bob.token } }));
  socket.send(JSON.stringify({ id: 1, method: 'subscription', params: { path, input } }));
  await once(socket, 'message');
  socket.pause();
  return socket;
}

/** Thirty kilobytes each. */
async function sendMany(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const id = uuidv7();
    const body = `${i} `.padEnd(18_000, '.');
    const input = { id, conversationId: room.id, messageType: 'text' as const, keyEpoch: 0 };
    await sendMessage(server.deps, ann.userId, {
      ...input,
      contentEncrypted: await seal(ann, room, { t: 'text', body }, { messageId: id }),
    });
    if (i % 20 === 0) await sleep(1);
  }
}

const metric = async (pattern: RegExp) => Number(pattern.exec(await server.deps.metrics.registry.metrics())?.[1] ?? 0);

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await condition()); waited += 50) {
    if (waited > 15_000) throw new Error('not within 15 s');
    await sleep(50);
  }
}

test('[P16][R8] live: five that stop reading are cut, the sixth has everything, and the cut ones resume', async () => {
  using reader = await followLive(bob);
  const stalled = await Promise.all(Array.from({ length: STALLED }, () => stall()));
  const cursor = reader.ids.at(-1);
  await sendMany(400);
  await until(() => messagesIn(reader.items).length === 400);
  await until(async () => (await metric(/sockets_closed_total\{code="1006"\} (\d+)/)) >= STALLED);
  for (const socket of stalled) socket.terminate();
  using resumed = await followLive(bob, cursor);
  expect(messagesIn(resumed.items)).toHaveLength(400);
});

test('[P16][G1] signals are dropped for those who do not read them', async () => {
  const stalled = await Promise.all(Array.from({ length: STALLED }, () => stall('typing.onChange', {})));
  for (let i = 0; i < 40_000; i++) {
    server.deps.typing.set(room.id, ann.userId, true);
    if (i % 500 === 0) await sleep(1);
  }
  expect(await metric(/parley_socket_unsent_bytes (\d+)/)).toBeLessThan(STALLED * 512 * 1024);
  for (const socket of stalled) socket.terminate();
});

test('[P18] who asks and does not read the answers is cut', async () => {
  const socket = await stall();
  const params = { path: 'messages.list', input: { conversationId: room.id, limit: 100 } };
  const cut = () => metric(/sockets_closed_total\{code="1006"\} (\d+)/);
  const before = await cut();
  for (let i = 0; i < 40; i++) socket.send(JSON.stringify({ id: 10 + i, method: 'query', params }));
  await until(async () => (await cut()) > before);
  socket.terminate();
  expect(await metric(/parley_socket_unsent_bytes (\d+)/)).toBeLessThan(8 * 1024 * 1024);
});

test('[P16][R8] a replay waits for its reader instead of piling up what it has to give', async () => {
  using reader = await followLive(bob);
  const cursor = reader.ids.at(-1)?.replace(/\.\d+:\d+:.*$/, '.3:3:');
  const stalled = await Promise.all(
    Array.from({ length: STALLED }, () => stall('feed.follow', { lastEventId: cursor })),
  );
  await sleep(500);
  expect(await metric(/parley_socket_unsent_bytes (\d+)/)).toBeLessThan(STALLED * 1024 * 1024);
  // Somebody who only paused goes on where he was, and gets all of it.
  const [first] = stalled;
  if (!first) throw new Error('no socket');
  let got = 0;
  first.on('message', (data) => (got += String(data).includes('"type":"message"') ? 1 : 0));
  first.resume();
  await until(() => got >= 390);
  for (const socket of stalled) socket.terminate();
});
