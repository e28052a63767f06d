/** The bus through Redis: the contract, from one node to another, and what only several nodes can do to each other. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bus, BusMessage } from '#server/bus/bus';
import { redisChannel, seal } from '#server/bus/envelope';
import { createRedisBus } from '#server/bus/redis';
import { slotOf } from '#server/bus/shards';
import { createLog } from '#server/observe/log';
import { connectRedis } from '#server/redis';
import { newRedis, type TestRedis } from '../harness/redis.ts';
import { busContract, events, versionsIn } from './bus.ts';

const log = createLog({ level: 'silent' });

async function node(url: string): Promise<{ bus: Bus } & AsyncDisposable> {
  const redis = await connectRedis(url, log);
  const bus = await createRedisBus(redis, log);
  await expect.poll(() => redis.publisher.status).toBe('ready');
  return {
    bus,
    async [Symbol.asyncDispose]() {
      await bus.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

async function twoNodes(url: string) {
  const [a, b] = await Promise.all([node(url), node(url)]);
  return {
    here: a.bus,
    there: b.bus,
    async [Symbol.asyncDispose]() {
      await Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()]);
    },
  };
}

for (const [name, cluster] of [
  ['one Redis', false],
  ['a cluster', true],
] as const)
  describe(`bus: two nodes, ${name}`, () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await newRedis({ cluster });
    });
    afterAll(() => redis[Symbol.asyncDispose]());

    busContract(() => twoNodes(redis.url));

    test('[P15] Redis is killed: the own node hears at once, and the others again after its return', async () => {
      await using system = await twoNodes(redis.url);
      const heard: BusMessage[] = [];
      const own: BusMessage[] = [];
      system.there.subscribe('c:k', (message) => heard.push(message));
      system.here.subscribe('c:k', (message) => own.push(message));
      await system.there.settled();
      await redis.kill();
      for (let version = 1; version <= 50; version++) system.here.publish(events('k', version));
      expect(own).toHaveLength(50);
      await system.there.settled();
      await redis.start();
      let version = 50;
      const again = () => {
        system.here.publish(events('k', ++version));
        return heard.length;
      };
      await expect.poll(again, { interval: 50 }).toBeGreaterThan(0);
      const before = heard.length;
      await expect.poll(again, { interval: 20 }).toBeGreaterThan(before + 5);
      expect(versionsIn(heard)).toEqual([...new Set(versionsIn(heard))].sort((a, b) => a - b));
    });
  });

test('a channel is looked for in the slot where the cluster has it', async () => {
  await using redis = await newRedis({ cluster: true });
  for (const id of ['all', 'c:0190a1b2-0000-7000-8000-000000000001', 'p:ü', ...Array.from({ length: 50 }, randomUUID)])
    expect(slotOf(redisChannel(id))).toBe(await redis.client.cluster('KEYSLOT', redisChannel(id)));
});

describe('bus: what may come through Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await newRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  test('[P6] versions of several nodes come in their order, lost ones hold up nobody for long, repeats are dropped', async () => {
    await using one = await node(redis.url);
    const heard: BusMessage[] = [];
    one.bus.subscribe('c:o', (message) => heard.push(message));
    await one.bus.settled();
    const say = (...versions: number[]) =>
      redis.client.publish(redisChannel('c:o'), seal('other', [JSON.stringify(events('o', ...versions))]));
    one.bus.publish(events('o', 1));
    one.bus.publish(events('o', 3));
    expect(versionsIn(heard)).toEqual([1]);
    await say(2);
    await expect.poll(() => versionsIn(heard)).toEqual([1, 2, 3]);
    await say(2);
    await say(5);
    await say(6, 7);
    await expect.poll(() => versionsIn(heard)).toEqual([1, 2, 3, 5, 6, 7]);
    await say(4);
    await say(5);
    await say(8);
    await expect.poll(() => versionsIn(heard)).toEqual([1, 2, 3, 5, 6, 7, 4, 8]);
  });

  test('[P26] what is no message is passed over', async () => {
    await using one = await node(redis.url);
    const heard: BusMessage[] = [];
    one.bus.subscribe('c:g', (message) => heard.push(message));
    await one.bus.settled();
    const channel = redisChannel('c:g');
    for (const text of ['', 'null', '{', '[]', '{"from":1}', '{"from":"x","messages":{}}'])
      await redis.client.publish(channel, text);
    const wrong = [
      'null',
      '1',
      '{"kind":"__proto__"}',
      '{"kind":"events","conversationId":"g","events":[{"version":"1"}]}',
      '{"kind":"events"}',
    ];
    await redis.client.publish(channel, seal('x', [...wrong, JSON.stringify(events('g', 1))]));
    await expect.poll(() => heard).toEqual([events('g', 1)]);
  });

  test('thousands of channels are asked for in a few round trips', async () => {
    await using one = await node(redis.url);
    const before = await commandsSeen(redis);
    const leave = Array.from({ length: 5_000 }, (_, i) => one.bus.subscribe(`c:many${i}`, () => {}));
    await one.bus.settled();
    expect((await commandsSeen(redis)) - before).toBeLessThan(30);
    expect(await redis.client.pubsub('CHANNELS', 'parley:c:many*')).toHaveLength(5_000);
    for (const out of leave) out();
    await one.bus.settled();
    await expect.poll(() => redis.client.pubsub('CHANNELS', 'parley:c:many*')).toHaveLength(0);
  });
});

const commandsSeen = async ({ client }: TestRedis) =>
  Number(/total_commands_processed:(\d+)/.exec(await client.info('stats'))?.[1]);
