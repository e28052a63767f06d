/** Several processes behind one port are one system: one of them may die, and all of them end with their leader. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { must } from '#lib/must';
import { followLive, messagesIn } from '../harness/follow.ts';
import { newGroup, send } from '../harness/people.ts';
import { newProgram } from '../harness/program.ts';
import { type ServerProcess, startProcess } from '../harness/process.ts';
import { newRedis, type TestRedis } from '../harness/redis.ts';
import { newComer } from '../harness/registration.ts';

const PROCESSES = 3;

let dir: string;
let redis: TestRedis;
let server: ServerProcess | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-processes-'));
  redis = await newRedis();
});
afterEach(async () => {
  if (server?.child.exitCode === null && server.child.signalCode === null) await server.end('SIGTERM');
  await redis[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const start = async (env: Record<string, string> = {}) =>
  (server = await startProcess({ DATA_DIR: dir, REDIS_URL: redis.url, PROCESSES: String(PROCESSES), ...env }));
const at = ({ url }: ServerProcess) => ({ url, wsUrl: `${url.replace('http', 'ws')}/trpc` });
const list = (...args: string[]) => execFileSync('ps', ['-o', 'pid=,args=', ...args], { encoding: 'utf8' }).split('\n');
/** The leader's own children that serve. */
const serving = ({ pid }: ServerProcess): number[] => {
  try {
    return list('--ppid', String(pid)).flatMap((line) => (line.includes('main.ts') ? [Number.parseInt(line, 10)] : []));
  } catch {
    return [];
  }
};
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('[P8] messages cross processes; one that is killed is replaced, and the others go on', {
  timeout: 120_000,
}, async () => {
  const running = await start();
  expect(running.output().match(/Parley is ready/g)).toHaveLength(1);
  const before = serving(running);
  expect(before).toHaveLength(PROCESSES);
  const [ann, bob] = await Promise.all([newComer(at(running), 'ann'), newComer(at(running), 'bob')]);
  const room = await newGroup(ann, [bob]);
  // More sockets than processes: they are given out in turn.
  const programs = Array.from({ length: 2 * PROCESSES }, () => newProgram(at(running), { token: bob.token }));
  const feeds = await Promise.all(programs.map((program) => followLive(program)));
  const sent = await send(ann, room, 'to every process');
  await Promise.all(feeds.map((feed) => feed.until((e) => e.type === 'message' && e.message.id === sent.id)));

  const scrape = async () => (await fetch(`${running.url}/metrics`)).text();
  await expect.poll(async () => Number(/^parley_sockets (\d+)/m.exec(await scrape())?.[1])).toBe(feeds.length);

  process.kill(must(before[0], 'it runs'), 'SIGKILL');
  await expect.poll(() => serving(running).filter((pid) => !before.includes(pid)).length, { timeout: 20_000 }).toBe(1);
  const again = await send(ann, room, 'after a death');
  // Whoever was on it comes back by himself, and has missed nothing.
  await Promise.all(feeds.map((feed) => feed.until((e) => e.type === 'message' && e.message.id === again.id)));
  // What follows an id may come a second time; what is new comes in order.
  for (const { items } of feeds) expect([...new Set(messagesIn(items).map(({ seq }) => seq))]).toEqual([1, 2]);
  for (const feed of feeds) feed[Symbol.dispose]();
  for (const program of [...programs, ann, bob]) await program[Symbol.asyncDispose]();

  const last = serving(running);
  expect((await running.end('SIGTERM')).code).toBe(0);
  expect(last.filter(isAlive)).toEqual([]);
});

test('without their leader the processes end', { timeout: 60_000 }, async () => {
  const running = await start();
  const all = serving(running);
  expect(all).toHaveLength(PROCESSES);
  await running.end('SIGKILL');
  await expect.poll(() => all.filter(isAlive), { timeout: 20_000 }).toEqual([]);
});

test('several processes without Redis are refused, and nothing is started', async () => {
  await expect(start({ REDIS_URL: '' })).rejects.toThrow(/PROCESSES: more than one process needs REDIS_URL/);
});
