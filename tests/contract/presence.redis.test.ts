/** Presence of several nodes: the contract, and what happens to it when nodes or Redis die. */
import { drizzle } from 'drizzle-orm/postgres-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRedisBus } from '#server/bus/redis';
import { createLog } from '#server/observe/log';
import { RedisPresence } from '#server/presence/redis';
import { connectRedis } from '#server/redis';
import { newDb, type TestDb } from '../harness/db.ts';
import { sleep } from '../harness/follow.ts';
import { QUICK } from '../harness/nodes.ts';
import { newRedis, type TestRedis } from '../harness/redis.ts';
import { newUserId, presenceContract, statusOf, watch } from './presence.ts';

const log = createLog({ level: 'silent' });
let db: TestDb;
beforeAll(async () => {
  db = await newDb();
});
afterAll(() => db[Symbol.asyncDispose]());

async function node(redis: TestRedis, times = QUICK) {
  const link = await connectRedis(redis.url, log);
  const bus = await createRedisBus(link, log);
  const presence = new RedisPresence({ redis: link, bus, db: drizzle({ client: db.sql }), log, times });
  await expect.poll(() => link.isUp).toBe(true);
  return {
    bus,
    presence,
    link,
    /** As kill -9 leaves it: nothing is said any more. */
    die: () => link[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      await presence.close();
      await bus.close();
      await link[Symbol.asyncDispose]();
    },
  };
}

async function twoNodes(redis: TestRedis, times = QUICK) {
  const [a, b] = await Promise.all([node(redis, times), node(redis, times)]);
  return {
    a,
    b,
    async [Symbol.asyncDispose]() {
      await Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()]);
    },
  };
}

for (const [name, cluster] of [
  ['one Redis', false],
  ['a cluster', true],
] as const)
  describe(`presence: two nodes, ${name}`, () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await newRedis({ cluster });
    });
    afterAll(() => redis[Symbol.asyncDispose]());

    presenceContract(async () => {
      const { a, b, ...nodes } = await twoNodes(redis);
      return { here: a.presence, there: b.presence, bus: b.bus, db, graceMs: QUICK.graceMs, ...nodes };
    });
  });

describe('presence: what breaks', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await newRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  test('a node dies with its sockets: its people are offline, last seen at its last heartbeat, unless they are elsewhere too', async () => {
    await using nodes = await twoNodes(redis);
    const { a, b } = nodes;
    const [ann, bob] = [await newUserId(db), await newUserId(db)];
    const [ofAnn, ofBob] = [await watch(b.bus, ann), await watch(b.bus, bob)];
    a.presence.connect(ann, 'desk');
    a.presence.connect(bob, 'desk');
    b.presence.connect(bob, 'phone');
    await expect.poll(() => [ofAnn, ofBob]).toEqual([['online'], ['online']]);
    const died = Date.now();
    await a.die();
    await expect.poll(() => ofAnn).toEqual(['online', 'offline']);
    expect(ofBob).toEqual(['online']);
    await expect.poll(async () => (await statusOf(b.presence, ann))?.lastSeenAt).not.toBeNull();
    const seen = Date.parse((await statusOf(b.presence, ann))?.lastSeenAt ?? '');
    expect(seen).toBeLessThanOrEqual(died);
    expect(await redis.client.keys('parley:presence:node:*')).toHaveLength(1);
  });

  test('a node that stops in order leaves no time between: who moves to another is not told', async () => {
    await using nodes = await twoNodes(redis);
    const { a, b } = nodes;
    const ann = await newUserId(db);
    const told = await watch(b.bus, ann);
    const leave = a.presence.connect(ann, 'desk');
    await expect.poll(() => told).toEqual(['online']);
    leave();
    await a.presence.close();
    await sleep(QUICK.leaveMs / 2);
    b.presence.connect(ann, 'desk');
    await sleep(QUICK.leaveMs + 3 * QUICK.beatMs + QUICK.deadMs);
    expect(told).toEqual(['online']);
  });

  test.each(['FLUSHALL', 'an empty restart'])('after %s everybody says again whom he has', async (how) => {
    await using nodes = await twoNodes(redis);
    const { a, b } = nodes;
    const [ann, bob] = [await newUserId(db), await newUserId(db)];
    const told = await watch(b.bus, bob);
    a.presence.connect(ann, 'desk');
    const leave = a.presence.connect(bob, 'desk');
    await expect.poll(() => told).toEqual(['online']);
    if (how === 'FLUSHALL') await redis.client.flushall();
    else await redis.kill();
    if (how !== 'FLUSHALL') {
      leave();
      // Nobody answers but what one knows oneself, and at once.
      expect(await statusOf(a.presence, ann)).toEqual({ status: 'online', lastSeenAt: null });
      await sleep(QUICK.graceMs * 1.5);
      expect((await statusOf(a.presence, bob))?.status).toBe('offline');
      await redis.start();
    }
    await expect.poll(() => statusOf(b.presence, ann)).toEqual({ status: 'online', lastSeenAt: null });
    // Who left meanwhile is noticed by those who watch him, though nobody could tell them.
    if (how !== 'FLUSHALL') await expect.poll(() => told).toEqual(['online', 'offline']);
  });

  test('Redis comes back empty, again and again: nobody who is there is told or taken to be gone', {
    timeout: 30_000,
  }, async () => {
    await using nodes = await twoNodes(redis, { ...QUICK, settleMs: 1_500 });
    const { a, b } = nodes;
    const people = await Promise.all(Array.from({ length: 5 }, () => newUserId(db)));
    const told = await Promise.all(people.map((id) => watch(b.bus, id)));
    for (const id of people) a.presence.connect(id, 'desk');
    await expect.poll(() => told).toEqual(people.map(() => ['online']));
    for (let round = 0; round < 5; round++) {
      await redis.kill();
      await sleep(200 * round);
      await redis.start();
      const isBack = () => a.link.isUp && b.link.isUp;
      for (let rest = 5; rest > 0; rest -= isBack() ? 1 : 0) {
        const found = await b.presence.get(people);
        expect(people.map((id) => found.get(id)?.status)).toEqual(people.map(() => 'online'));
        await sleep(10);
      }
    }
    expect(told.flat()).not.toContain('offline');
  });

  test('Redis stops answering: questions are answered within a bound', async () => {
    await using one = await node(redis);
    const ann = await newUserId(db);
    one.presence.connect(ann, 'desk');
    await expect.poll(() => statusOf(one.presence, ann)).toEqual({ status: 'online', lastSeenAt: null });
    redis.freeze();
    try {
      expect(await statusOf(one.presence, ann)).toEqual({ status: 'online', lastSeenAt: null });
      // Sooner than the connection is given up.
      expect(one.link.isUp).toBe(true);
    } finally {
      redis.thaw();
    }
  });
});
