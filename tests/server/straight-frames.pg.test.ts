/** Live events and signals go past tRPC's adapter. Byte for byte they are what it would have sent (P9, contract). */
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { followLive } from '../harness/follow.ts';
import { newGroup, newUser, type Person, react, type Room, send } from '../harness/people.ts';
import { newServer, type TestServer } from '../harness/server.ts';

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

/** Ids of this length are answered by the adapter alone. */
const BY_ADAPTER = 'x'.repeat(17);

/** Bob, subscribed to the same thing twice on one socket: once straight, once through the adapter. */
async function twice(path: string, input?: object) {
  const socket = new WebSocket(`${server.wsUrl}?connectionParams=1`);
  const frames: string[] = [];
  socket.on('message', (data: Buffer) => frames.push(data.toString()));
  await once(socket, 'open');
  socket.send(JSON.stringify({ method: 'connectionParams', data: { token: bob.token } }));
  for (const [id, jsonrpc] of [[7], [BY_ADAPTER], [8, '2.0'], [`${BY_ADAPTER}2`, '2.0']])
    socket.send(JSON.stringify({ id, jsonrpc, method: 'subscription', params: { path, input } }));
  const of = (id: number | string) => frames.filter((frame) => frame.startsWith(`{"id":${JSON.stringify(id)},`));
  return {
    of,
    async got(count: number) {
      const ids = [7, BY_ADAPTER, 8, `${BY_ADAPTER}2`];
      await expect.poll(() => ids.map((id) => of(id).length)).toEqual(ids.map(() => count));
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}

const renamed = (frames: string[], from: string, to: number) =>
  frames.map((frame) => frame.replace(JSON.stringify(from), String(to)));

/** The position may have moved on between the two subscriptions, which start one after the other. */
const withoutPosition = (frames: string[]) => frames.map((frame) => frame.replace(/\.\d+:\d+:[\d,]*"/g, '."'));

test('[P9] live events have the bytes of the adapter, resume ids included', async () => {
  using both = await twice('feed.follow');
  await both.got(2);
  for (let i = 0; i < 3; i++) await send(ann, room, `héllo ${'wörld '.repeat(i * 40)}`);
  await send(bob, room, 'mine too');
  await both.got(6);
  for (const [straight, adapter] of [
    [7, BY_ADAPTER],
    [8, `${BY_ADAPTER}2`],
  ] as const)
    expect(withoutPosition(both.of(straight))).toEqual(withoutPosition(renamed(both.of(adapter), adapter, straight)));
  const [cursors, others] = [7, 8].map((id) =>
    both.of(id).map((frame) => (JSON.parse(frame) as { result: { id?: string; data?: { id: string } } }).result),
  );
  for (const { id, data } of [...(cursors ?? []), ...(others ?? [])].filter((result) => result.data))
    expect([id, id?.slice(0, 10)]).toEqual([data?.id, cursors?.[1]?.id?.slice(0, 10)]);
});

test('[P7][P9] what was missed has the bytes of the adapter, resume ids included, and so has what follows', async () => {
  using before = await followLive(bob);
  const lastEventId = before.ids.at(-1);
  for (let i = 0; i < 120; i++) await send(ann, room, `missed ${i}`);
  await react(bob, room, (await send(ann, room, 'loved')).id, '👋');
  using both = await twice('feed.follow', { lastEventId });
  await expect.poll(() => both.of(7).filter((frame) => frame.includes('"type":"live"')).length).toBe(1);
  const missed = both.of(7).length;
  expect(missed).toBeGreaterThan(120);
  await both.got(missed);
  await send(ann, room, 'and live');
  await both.got(missed + 1);
  const given = (frames: string[]) => frames.filter((frame) => !/"type":"(?:live|started)"|and live/.test(frame));
  for (const [straight, adapter] of [
    [7, BY_ADAPTER],
    [8, `${BY_ADAPTER}2`],
  ] as const) {
    const [one, other] = [both.of(straight), renamed(both.of(adapter), adapter, straight)];
    expect(withoutPosition(one)).toEqual(withoutPosition(other));
    // Those in the past stand where they stood, whenever one asks.
    expect(given(one).slice(0, 100)).toEqual(given(other).slice(0, 100));
  }
});

test('signals have the bytes of the adapter', async () => {
  using both = await twice('typing.onChange');
  await both.got(1);
  await ann.api.typing.set.mutate({ conversationId: room.id, isTyping: true });
  await both.got(2);
  for (const [straight, adapter] of [
    [7, BY_ADAPTER],
    [8, `${BY_ADAPTER}2`],
  ] as const)
    expect(both.of(straight)).toEqual(renamed(both.of(adapter), adapter, straight));
});

test('[P24] a request id cannot smuggle bytes into the frames of anybody', async () => {
  const socket = new WebSocket(`${server.wsUrl}?connectionParams=1`);
  const frames: unknown[] = [];
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString())));
  await once(socket, 'open');
  socket.send(JSON.stringify({ method: 'connectionParams', data: { token: bob.token } }));
  const ids = ['"},"x":"', '\u2028\\"', 'é', -1.5];
  for (const id of ids) socket.send(JSON.stringify({ id, method: 'subscription', params: { path: 'feed.follow' } }));
  const of = (id: unknown) => frames.filter((frame) => (frame as { id: unknown }).id === id);
  await expect.poll(() => ids.map((id) => of(id).length)).toEqual(ids.map(() => 2));
  await send(ann, room, 'to all of them');
  await expect.poll(() => ids.map((id) => of(id).length)).toEqual(ids.map(() => 3));
  socket.terminate();
});
