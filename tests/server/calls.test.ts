/** The same conversation with tRPC's own WebSocket adapter and with ours: every frame that comes back is the same (contract, wire rules). */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { initTRPC, tracked } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import { must } from '#lib/must';
import { LIMITS } from '#protocol/limits';
import { Calls, type ConnectionParams, type SocketContext } from '#server/transport/calls';
import { Socket } from '#server/transport/socket';
import { toWireError } from '#server/wire-error';

interface Heard {
  readonly params: ConnectionParams;
}
const t = initTRPC.context<Heard>().create({ isDev: false, errorFormatter: ({ error }) => toWireError(error) });

/** Yields these, then nothing until it is told to end. */
class Endless implements AsyncIterableIterator<unknown> {
  readonly #values: unknown[];
  #end: ((result: IteratorResult<unknown>) => void) | undefined;
  constructor(...values: unknown[]) {
    this.#values = values;
  }
  [Symbol.asyncIterator](): this {
    return this;
  }
  next(): Promise<IteratorResult<unknown>> {
    if (this.#values.length > 0) return Promise.resolve({ done: false, value: this.#values.shift() });
    return new Promise((resolve) => (this.#end = resolve));
  }
  async return(): Promise<IteratorResult<unknown>> {
    this.#end?.({ done: true, value: undefined });
    return { done: true, value: undefined };
  }
}

const router = t.router({
  echo: t.procedure.input(z.unknown()).query(({ input }) => input),
  who: t.procedure.query(({ ctx }) => ctx.params),
  nothing: t.procedure.mutation(() => undefined),
  strict: t.procedure
    .input(z.object({ n: z.number() }))
    .output(z.object({ n: z.number() }))
    .mutation(({ input }) => input),
  fails: t.procedure.mutation(() => {
    throw new Error('secret words');
  }),
  deep: t.router({ slow: t.procedure.query(() => sleep(20, 'slept')) }),
  counts: t.procedure.input(z.object({ lastEventId: z.string().nullish() }).loose()).subscription(async function* ({
    input,
  }) {
    yield input;
    yield tracked('7', { n: 1 });
    yield undefined;
    yield tracked('8', null);
  }),
  breaks: t.procedure.subscription(async function* () {
    yield 1;
    throw new Error('secret words');
  }),
  waits: t.procedure.subscription(() => new Endless('first')),
  late: t.procedure.subscription(() => sleep(50).then(() => new Endless('first'))),
  ticks: t.procedure.subscription(async function* () {
    for (;;) yield await sleep(5, 'tick');
  }),
  refuses: t.procedure.input(z.object({ n: z.number() })).subscription(() => new Endless()),
});

const servers: WebSocketServer[] = [];
async function listen(): Promise<{ server: WebSocketServer; url: string }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return { server, url: `ws://127.0.0.1:${typeof address === 'object' ? must(address, 'it listens').port : 0}` };
}

let theirs: string;
let ours: string;
const sockets: Socket[] = [];
beforeAll(async () => {
  const [a, b] = await Promise.all([listen(), listen()]);
  [theirs, ours] = [a.url, b.url];
  applyWSSHandler({
    wss: a.server,
    router,
    maxBatchSize: LIMITS.batch,
    createContext: ({ info }) => ({ params: info.connectionParams }),
  });
  const served = {
    router,
    limitsFrames: false,
    createContext: (_socket: Socket, params: ConnectionParams) => {
      const context: Heard & { answering(): object } = { params, answering: () => context };
      return Promise.resolve(context as unknown as SocketContext);
    },
    onError: () => {},
  };
  b.server.on('connection', (ws, request) => {
    const socket = new Socket(ws, request.socket, { address: '', userAgent: null, now: Date.now });
    sockets.push(socket);
    new Calls(socket, served, { isAnnounced: request.url?.includes('connectionParams=1') ?? false });
  });
});
afterAll(() => {
  for (const server of servers) {
    for (const client of server.clients) client.terminate();
    server.close();
  }
});

const QUIET_MS = 120;

/** @returns what came, by what it answers, and how it closed */
async function converse(url: string, says: readonly unknown[]) {
  const socket = new WebSocket(url);
  const frames: string[] = [];
  let closed = '';
  let heardAt = Date.now();
  socket.on('message', (data: Buffer) => {
    heardAt = Date.now();
    frames.push(data.toString().replace(/"errorId":"[^"]+"/, '"errorId":""'));
  });
  socket.on('close', (code) => (closed = String(code)));
  await once(socket, 'open');
  for (const one of says) {
    if (one instanceof Uint8Array) socket.send(one, { binary: true });
    else if (typeof one === 'number') await sleep(one);
    else socket.send(typeof one === 'string' ? one : JSON.stringify(one));
  }
  while (Date.now() - heardAt < QUIET_MS && closed === '') await sleep(10);
  socket.terminate();
  const of = (frame: string) => /^\{"id":("[^"]*"|[^,]*)/.exec(frame)?.[1] ?? frame;
  return { frames: frames.sort((a, b) => of(a).localeCompare(of(b)) || 0), closed };
}

const call = (id: unknown, method: string, path: unknown, rest: object = {}, input?: unknown) => ({
  id,
  method,
  params: { path, input, ...rest },
});
const stop = (id: unknown) => ({ id, method: 'subscription.stop' });

const CONVERSATIONS: Record<string, readonly unknown[]> = {
  'calls and their answers': [
    call(1, 'query', 'echo', {}, { deep: [1, 'é', null] }),
    { ...call(2, 'query', 'echo', {}, 'text'), jsonrpc: '2.0' },
    call('a "quoted" id', 'query', 'echo'),
    call(3, 'mutation', 'nothing'),
    call(4, 'mutation', 'strict', {}, { n: 1, more: 2 }),
    call(5, 'query', 'deep.slow'),
    call(6, 'query', 'who'),
    call(-1.5, 'query', 'echo', {}, 0),
  ],
  'calls that are refused': [
    call(1, 'query', 'nothing'),
    call(2, 'mutation', 'none.such'),
    call(3, 'query', '__proto__'),
    call(4, 'query', 'constructor'),
    call(5, 'mutation', 'strict', {}, { n: 'one' }),
    call(6, 'mutation', 'fails'),
    call(7, 'subscription', 'echo'),
    call(8, 'query', 'deep'),
  ],
  batches: [
    [call(1, 'query', 'echo', {}, 1), call(2, 'query', 'echo', {}, 2)],
    [],
    [call(3, 'query', 'echo'), { id: 4 }],
    Array.from({ length: LIMITS.batch + 1 }, (_, i) => ({ ...call(10 + i, 'query', 'echo'), jsonrpc: '2.0' })),
    Array.from({ length: LIMITS.batch + 1 }, () => stop(1)),
  ],
  'what is no call': [
    '{"id":',
    '',
    '7',
    'null',
    {},
    { id: null, method: 'query', params: { path: 'echo' } },
    { id: {}, method: 'query', params: { path: 'echo' } },
    { ...call(1, 'query', 'echo'), jsonrpc: '1.0' },
    call(2, 'delete', 'echo'),
    call(3, 'query', 7),
    { id: 4, method: 'query' },
    call(5, 'query', 'echo', { lastEventId: 7 }),
    new Uint8Array([1, 2, 3]),
    stop(99),
    'PING',
    'PONG',
  ],
  'subscriptions that end': [
    call(1, 'subscription', 'counts', {}, { a: 1 }),
    { ...call('two', 'subscription', 'counts', { lastEventId: '6' }), jsonrpc: '2.0' },
    call(3, 'subscription', 'counts', { lastEventId: '6' }, { a: 1, lastEventId: '5' }),
    call(4, 'subscription', 'counts', { lastEventId: '6' }, 'no object'),
    call(5, 'query', 'echo', { lastEventId: '6' }),
    call(6, 'subscription', 'refuses', {}, {}),
    call(7, 'subscription', 'none.such'),
  ],
  'subscriptions that break': [call(1, 'subscription', 'breaks')],
  'subscriptions that are stopped': [
    call(1, 'subscription', 'waits'),
    call(1, 'subscription', 'waits'),
    30,
    stop(1),
    30,
    call(1, 'subscription', 'waits'),
    call(2, 'subscription', 'late'),
    stop(2),
    call(3, 'subscription', 'late'),
    20,
    stop(3),
    80,
    call(3, 'query', 'echo'),
    stop(1),
    stop(1),
  ],
};

describe('without connection parameters', () => {
  test.each(Object.entries(CONVERSATIONS))('%s', async (_name, says) => {
    const [expected, got] = await Promise.all([converse(theirs, says), converse(ours, says)]);
    expect(expected.frames.length).toBeGreaterThan(0);
    expect(got).toEqual(expected);
  });
});

describe('with connection parameters', () => {
  const asks = call(1, 'query', 'who');
  test.each([
    ['as clients send them', [{ method: 'connectionParams', data: { token: 'a' } }, asks]],
    ['none after all', [{ method: 'connectionParams', data: null }, asks]],
    ['nothing in them', [{ method: 'connectionParams' }, asks]],
    ['malformed', ['{"method":', asks]],
    ['no object', ['7', asks]],
    ['of a wrong kind', [{ method: 'connectionParams', data: { token: 7 } }, asks]],
    ['of bytes', [new Uint8Array([1]), asks]],
  ] as const)('%s', async (_name, says) => {
    const at = (url: string) => converse(`${url}/?connectionParams=1`, says);
    const [expected, got] = await Promise.all([at(theirs), at(ours)]);
    expect(expected.frames.length).toBeGreaterThan(0);
    expect(got).toEqual(expected);
  });
});

test('[P23] from the end of a session on subscriptions are silent, while calls under way are answered', async () => {
  const socket = new WebSocket(ours);
  const frames: string[] = [];
  socket.on('message', (data: Buffer) => frames.push(data.toString()));
  await once(socket, 'open');
  socket.send(JSON.stringify(call(1, 'subscription', 'ticks')));
  await expect.poll(() => frames.length).toBeGreaterThan(3);
  socket.send(JSON.stringify(call(2, 'query', 'deep.slow')));
  await sleep(5);
  must(sockets.at(-1), 'it is the last that came').refuse('session_revoked');
  const [code] = await once(socket, 'close');
  const end = frames.findIndex((frame) => frame.includes('session_revoked'));
  expect(code).toBe(4401);
  expect(frames.slice(end + 1)).toEqual(['{"id":2,"result":{"type":"data","data":"slept"}}']);
});

test('[P18] an id that is longer than anybody needs is no call', async () => {
  const says = [call('x'.repeat(65), 'subscription', 'waits'), call('x'.repeat(64), 'query', 'echo', {}, 1)];
  const { frames } = await converse(ours, says);
  const answered = new Set(frames.map((frame) => (JSON.parse(frame) as { id: unknown }).id));
  expect(answered).toEqual(new Set([null, 'x'.repeat(64)]));
});

test('who goes leaves nothing behind: what he followed is told to end', async () => {
  const socket = new WebSocket(ours);
  await once(socket, 'open');
  socket.send(JSON.stringify(call(1, 'subscription', 'waits')));
  await once(socket, 'message');
  const ended = new Promise((resolve) => {
    const { return: before } = Endless.prototype;
    Endless.prototype.return = function () {
      Endless.prototype.return = before;
      resolve(true);
      return before.call(this);
    };
  });
  socket.terminate();
  expect(await ended).toBe(true);
});
