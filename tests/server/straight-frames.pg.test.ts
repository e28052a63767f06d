/** Events and signals are written straight to the sockets. Byte for byte they are what tRPC's adapter would have sent (P9, contract). */
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import WebSocket, { WebSocketServer } from 'ws';
import { must } from '#lib/must';
import { authenticate } from '#server/context';
import { appRouter } from '#server/router';
import { followLive } from '../harness/follow.ts';
import { newGroup, newUser, type Person, react, type Room, send } from '../harness/people.ts';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
let ann: Person;
let bob: Person;
let room: Room;
let adapter: WebSocketServer;

beforeAll(async () => {
  server = await newServer();
  [ann, bob] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob')]);
  room = await newGroup(ann, [bob]);
  adapter = await listenWithAdapter();
});
afterAll(async () => {
  adapter.close();
  for (const person of [ann, bob]) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** The same procedures behind tRPC's own adapter, which writes every event itself. */
async function listenWithAdapter(): Promise<WebSocketServer> {
  const { deps } = server;
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(wss, 'listening');
  applyWSSHandler({
    wss,
    router: appRouter,
    createContext: async ({ info }) => ({
      deps,
      ...(await authenticate(deps, info.connectionParams?.token ?? null)),
      address: '127.0.0.1',
      userAgent: null,
      cookies: null,
      crossSite: false,
      connection: null,
      answerHead: null,
      signal: undefined,
    }),
  });
  return wss;
}

const ASKED = [[7], [8, '2.0']] as const;

/** Bob at one place, subscribed twice to the same thing. */
async function listenAt(url: string, path: string, input?: object) {
  const socket = new WebSocket(`${url}?connectionParams=1`);
  const frames: string[] = [];
  socket.on('message', (data: Buffer) => frames.push(data.toString()));
  await once(socket, 'open');
  socket.send(JSON.stringify({ method: 'connectionParams', data: { token: bob.token } }));
  for (const [id, jsonrpc] of ASKED)
    socket.send(JSON.stringify({ id, jsonrpc, method: 'subscription', params: { path, input } }));
  return { socket, of: (id: number) => frames.filter((frame) => frame.startsWith(`{"id":${id},`)) };
}

/** Bob at both places. */
async function twice(path: string, input?: object) {
  const address = adapter.address();
  const port = typeof address === 'object' ? must(address, 'it listens').port : 0;
  const [straight, reference] = [
    await listenAt(server.wsUrl, path, input),
    await listenAt(`ws://127.0.0.1:${port}`, path, input),
  ];
  const ids = ASKED.map(([id]) => id);
  return {
    straight: straight.of,
    reference: reference.of,
    async got(count: number) {
      const counts = () => [straight, reference].flatMap(({ of }) => ids.map((id) => of(id).length));
      await expect.poll(counts).toEqual([count, count, count, count]);
    },
    [Symbol.dispose]() {
      straight.socket.terminate();
      reference.socket.terminate();
    },
  };
}

/** The position may have moved on between the two subscriptions, which start one after the other. */
const withoutPosition = (frames: string[]) => frames.map((frame) => frame.replace(/\.\d+:\d+:[\d,]*"/g, '."'));

test('[P9] live events have the bytes of the adapter, resume ids included', async () => {
  using both = await twice('feed.follow');
  await both.got(2);
  for (let i = 0; i < 3; i++) await send(ann, room, `héllo ${'wörld '.repeat(i * 40)}`);
  await send(bob, room, 'mine too');
  await both.got(6);
  for (const [id] of ASKED) expect(withoutPosition(both.straight(id))).toEqual(withoutPosition(both.reference(id)));
  const [cursors, others] = ASKED.map(([id]) =>
    both.straight(id).map((frame) => (JSON.parse(frame) as { result: { id?: string; data?: { id: string } } }).result),
  );
  for (const { id, data } of [...(cursors ?? []), ...(others ?? [])].filter((result) => result.data))
    expect([id, id?.slice(0, 10)]).toEqual([data?.id, cursors?.[1]?.id?.slice(0, 10)]);
});

test('[P7][P9] what was missed has the bytes of the adapter, resume ids included, and so has what follows', async () => {
  using before = await followLive(bob);
  const lastEventId = before.ids.at(-1);
  // More than one page of them.
  await Promise.all(Array.from({ length: 520 }, (_, i) => send(ann, room, `missed ${i}`)));
  await react(bob, room, (await send(ann, room, 'loved')).id, '👋');
  using both = await twice('feed.follow', { lastEventId });
  await expect.poll(() => both.straight(7).filter((frame) => frame.includes('"type":"live"')).length).toBe(1);
  const missed = both.straight(7).length;
  expect(missed).toBeGreaterThan(520);
  await both.got(missed);
  await send(ann, room, 'and live');
  await both.got(missed + 1);
  const given = (frames: string[]) => frames.filter((frame) => !/"type":"(?:live|started)"|and live/.test(frame));
  for (const [id] of ASKED) {
    const [one, other] = [both.straight(id), both.reference(id)];
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
  for (const [id] of ASKED) expect(both.straight(id)).toEqual(both.reference(id));
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
