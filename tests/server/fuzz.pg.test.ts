/** Every procedure, fed with what nobody should send: nothing crashes, nothing leaks, nothing is half-done (P26). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { appRouter } from '#server/router';
import { newDirect, newUser, type Person, send } from '../harness/people.ts';
import { fitting, seeded, spoiled } from '../harness/random.ts';
import { newServer, type TestServer } from '../harness/server.ts';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000_000);
const random = seeded(seed);
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 25);

interface Procedure {
  path: string;
  type: 'query' | 'mutation' | 'subscription';
  schema: unknown;
}
const procedures: Procedure[] = Object.entries(appRouter._def.procedures).map(([path, procedure]) => {
  const { type, inputs } = (procedure as unknown as { _def: { type: Procedure['type']; inputs: unknown[] } })._def;
  const [input] = inputs;
  const schema = input instanceof z.ZodType ? z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) : null;
  return { path, type, schema };
});
/** They end the session that the others need; they have tests of their own. */
const ENDING = /^auth\.(logout|logoutAll|revokeSession|refresh)$/;
const LEAKS = /node_modules|\bat \w+ \(|\.ts:\d|select |insert into|violates|syntax error|ECONN|PostgresError|Drizzle/;

let server: TestServer;
let me: Person;
let ids: [string, ...string[]];
beforeAll(async () => {
  console.log(`FUZZ_SEED=${seed}`);
  server = await newServer();
  me = await newUser(server, 'me');
  const other = await newUser(server, 'other');
  const room = await newDirect(me, other);
  const message = await send(other, room, 'hello');
  ids = [me.userId, other.userId, room.id, message.id, crypto.randomUUID()];
});
afterAll(() => server[Symbol.asyncDispose]());

const inputFor = ({ schema }: Procedure) => {
  const value = fitting(schema, random, ids);
  return random.below(3) === 0 ? value : spoiled(value, random);
};

async function call({ path, type }: Procedure, input: unknown, token: string | null) {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const json = JSON.stringify(input) ?? '';
  const response =
    type === 'query'
      ? await fetch(`${server.url}/trpc/${path}?input=${encodeURIComponent(json)}`, { headers })
      : await fetch(`${server.url}/trpc/${path}`, { method: 'POST', headers, body: json });
  return { status: response.status, text: await response.text() };
}

function expectDecent(what: string, { status, text }: { status: number; text: string }): void {
  expect(status, `${what} -> ${text.slice(0, 300)}`).toBeLessThan(500);
  if (status === 200) return;
  expect(text, what).not.toMatch(LEAKS);
  expect(JSON.parse(text), what).toMatchObject({
    error: { data: { code: expect.any(String), reason: expect.any(String) } },
  });
}

describe('fuzz', () => {
  const overHttp = procedures.filter(({ type, path }) => type !== 'subscription' && !ENDING.test(path));

  test.each(overHttp.map((procedure) => [procedure.path, procedure] as const))('[P26] %s', async (path, procedure) => {
    for (let round = 0; round < ROUNDS; round++) {
      const input = inputFor(procedure);
      const what = `FUZZ_SEED=${seed} ${path} ${JSON.stringify(input)?.slice(0, 400)}`;
      expectDecent(what, await call(procedure, input, me.token));
    }
  });

  test('[P21] without a session only the public procedures answer', async () => {
    const ways = ['auth.register', 'auth.preLogin', 'auth.login', 'auth.refresh', 'auth.logout'];
    const waysBack = ['requestCode', 'openRecovery', 'recover', 'beginReset', 'reset'].map((name) => `keys.${name}`);
    const open = new Set([...ways, ...waysBack]);
    for (const procedure of procedures) {
      if (procedure.type === 'subscription' || open.has(procedure.path)) continue;
      const { status } = await call(procedure, inputFor(procedure), null);
      expect(status, procedure.path).toBe(401);
    }
  });

  test('[P26] subscriptions and broken frames over a socket', async () => {
    const socket = new WebSocket(`${server.wsUrl}?connectionParams=1`);
    const frames: string[] = [];
    socket.on('message', (data) => frames.push(String(data)));
    await new Promise((done) => socket.once('open', done));
    socket.send(JSON.stringify({ method: 'connectionParams', data: { token: me.token } }));
    let id = 0;
    for (const procedure of procedures)
      for (let round = 0; round < 4; round++) {
        if (ENDING.test(procedure.path)) continue;
        const params = { path: procedure.path, input: inputFor(procedure) };
        socket.send(JSON.stringify({ id: ++id, method: procedure.type, params }));
        if (procedure.type === 'subscription') socket.send(JSON.stringify({ id, method: 'subscription.stop' }));
      }
    for (const broken of ['', 'PING', 'null', '[]', '{', '{"id":1}', '{"id":{},"method":"query"}', '[[[]]]', '"x"'])
      socket.send(broken);
    socket.send(Buffer.from([0, 255, 1, 2]));
    socket.send(JSON.stringify({ id: 999_999, method: 'query', params: { path: 'users.me' } }));
    await expect.poll(() => frames.some((frame) => frame.includes('"id":999999')), { timeout: 20_000 }).toBe(true);
    for (const frame of frames) {
      if (!frame.includes('"error"')) continue;
      expect(frame, `FUZZ_SEED=${seed}`).not.toMatch(LEAKS);
      expect(frame, `FUZZ_SEED=${seed}`).not.toContain('INTERNAL_SERVER_ERROR');
    }
    socket.close();
  });

  test('[P26] afterwards the server is well and its log knows of no failure', async () => {
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect(server.logs.filter((line) => line.includes('"call failed"')).slice(0, 3)).toEqual([]);
  });
});
