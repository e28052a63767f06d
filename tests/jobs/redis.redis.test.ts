/** Offline delivery with its jobs on Redis, as several nodes have them; and workers as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Jobs, startJobs } from '#server/jobs/jobs';
import { newDirect, newUser, send } from '../harness/people.ts';
import { newPushService, type PushService } from '../harness/push-endpoint.ts';
import { newRedis, type TestRedis } from '../harness/redis.ts';
import { newServer, type TestServer } from '../harness/server.ts';
import { offlineDeliverySuite } from './suite.ts';

offlineDeliverySuite('Redis', async () => {
  const redis = await newRedis();
  return {
    env: { REDIS_URL: redis.url },
    lose: async () => void (await redis.client.flushall()),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
});

describe('workers', () => {
  const PATIENCE = { timeout: 15_000, interval: 30 };
  let redis: TestRedis;
  let server: TestServer;
  let pushes: PushService;
  let dataDir: string;
  let jobs: Jobs | undefined;
  const children = new Set<ChildProcess>();

  beforeAll(async () => {
    redis = await newRedis();
    server = await newServer({ env: { REDIS_URL: redis.url } });
    pushes = await newPushService();
    dataDir = await mkdtemp(join(tmpdir(), 'parley-worker-'));
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await pushes?.[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await jobs?.close();
    jobs = undefined;
    await redis.client.flushall();
  });

  async function start(timing = {}, works = false) {
    jobs = startJobs(server.deps, { databaseUrl: server.db.url, works, timing: { gather: 20, ...timing } });
    await jobs.ready;
  }
  async function offlinePair() {
    const [ann, bob] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob')]);
    const room = await newDirect(ann, bob);
    const browser = pushes.newBrowser();
    await bob.api.push.subscribe.mutate(browser.subscription);
    return { ann, room, browser };
  }
  function run(script: string, env: Record<string, string>) {
    const child = spawn(process.execPath, ['--import', 'tsx', script], {
      cwd: join(import.meta.dirname, '..', '..'),
      env: { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: dataDir, ...env },
    });
    children.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    const ended = new Promise<number | null>((done) =>
      child.once('exit', (code) => {
        children.delete(child);
        done(code);
      }),
    );
    return { child, ended, output: () => output };
  }
  const both = () => ({ DATABASE_URL: server.db.url, REDIS_URL: redis.url });

  test('[P33] a worker of its own does the jobs; told to end it finishes what it has begun, and exits with 0', async () => {
    await start();
    const { ann, room, browser } = await offlinePair();
    const worker = run('src/server/worker.ts', both());
    await expect.poll(worker.output, PATIENCE).toContain('The worker is ready');
    let release = () => {};
    const held = new Promise<void>((done) => (release = done));
    let arrived = 0;
    browser.answer = async () => {
      arrived += 1;
      await held;
      return 201;
    };
    await send(ann, room, 'one');
    await expect.poll(() => arrived, PATIENCE).toBe(1);
    worker.child.kill('SIGTERM');
    await expect.poll(worker.output, PATIENCE).toContain('stopping');
    release();
    expect(await worker.ended).toBe(0);
    expect(browser.told()).toEqual([1]);
    expect(await jobs?.queues?.['message-delivery'].getJobCounts('completed', 'active', 'waiting')).toEqual({
      completed: 1,
      active: 0,
      waiting: 0,
    });
  });

  test('without Redis there is nothing for a worker to do, and it says so', async () => {
    const worker = run('src/server/worker.ts', { DATABASE_URL: server.db.url });
    expect(await worker.ended).toBe(1);
    expect(worker.output()).toContain('needs DATABASE_URL and REDIS_URL');
  });

  test('[P19] kill -9 of a worker in the middle of a job: another one does the rest', async () => {
    const quick = { lock: 1_000, stalled: 500 };
    await start();
    const { ann, room, browser } = await offlinePair();
    const doomed = run('tests/jobs/quick-worker.ts', { ...both(), TIMING: JSON.stringify(quick) });
    let hung = 0;
    browser.answer = ({ seq }) => {
      if (seq === 1 || hung > 0) return 201;
      hung += 1;
      return new Promise((done) => setTimeout(done, 1_500, 500));
    };
    await Promise.all([send(ann, room, 'one'), send(ann, room, 'two')]);
    await expect.poll(() => hung, PATIENCE).toBe(1);
    doomed.child.kill('SIGKILL');
    await doomed.ended;
    await jobs?.close();
    await start(quick, true);
    await expect.poll(() => browser.told(), PATIENCE).toEqual([1, 2]);
    const delivery = jobs?.queues?.['message-delivery'];
    await expect
      .poll(() => delivery?.getJobCounts('active', 'waiting', 'delayed'), PATIENCE)
      .toEqual({
        active: 0,
        waiting: 0,
        delayed: 0,
      });
  });

  test('[P15][P19] Redis killed: sends go on, nothing is thrown, and who was to be told is told when it is back', {
    timeout: 60_000,
  }, async () => {
    await start({ sweep: 300, settle: 0, backoff: 50 }, true);
    const { ann, room, browser } = await offlinePair();
    await send(ann, room, 'before');
    await expect.poll(() => browser.told(), PATIENCE).toEqual([1]);
    await redis.kill();
    for (let i = 0; i < 3; i++) await send(ann, room, `during ${i}`);
    await expect
      .poll(() => server.deps.metrics.registry.metrics(), PATIENCE)
      .toMatch(/parley_jobs_dropped_total\{queue="message-delivery"\} [1-9]/);
    await redis.start();
    await expect.poll(() => browser.told(), { timeout: 30_000, interval: 100 }).toEqual([1, 2, 3, 4]);
  });

  test('[P19] a node that starts while Redis is away takes part as soon as it is there', {
    timeout: 60_000,
  }, async () => {
    await redis.kill();
    jobs = startJobs(server.deps, { databaseUrl: server.db.url, works: true, timing: { gather: 20 } });
    expect(jobs.queues).toBeUndefined();
    await redis.start();
    await jobs.ready;
    const { ann, room, browser } = await offlinePair();
    await send(ann, room, 'hello');
    await expect.poll(() => browser.told(), PATIENCE).toEqual([1]);
  });

  test('a Redis cluster will do as well', async () => {
    await using cluster = await newRedis({ cluster: true });
    const elsewhere = { ...server.deps, env: { ...server.deps.env, redisUrl: cluster.url } };
    jobs = startJobs(elsewhere, { databaseUrl: server.db.url, works: true, timing: { gather: 20 } });
    await jobs.ready;
    const { ann, room, browser } = await offlinePair();
    await send(ann, room, 'hello');
    await expect.poll(() => browser.told(), PATIENCE).toEqual([1]);
    await jobs.close();
  });
});
