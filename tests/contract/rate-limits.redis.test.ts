import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '#server/observe/log';
import { RateLimits } from '#server/rate-limits';
import { connectRedis, type RedisLink } from '#server/redis';
import { newRedis, type TestRedis } from '../harness/redis.ts';
import { rateLimitsContract, taken } from './rate-limits.ts';

for (const [name, cluster] of [
  ['one Redis', false],
  ['a cluster', true],
] as const)
  describe(`rate limits: two nodes, ${name}`, () => {
    let redis: TestRedis;
    let links: RedisLink[];
    beforeAll(async () => {
      redis = await newRedis({ cluster });
      const log = createLog({ level: 'silent' });
      links = await Promise.all([connectRedis(redis.url, log), connectRedis(redis.url, log)]);
    });
    afterAll(async () => {
      for (const link of links) await link[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    });
    const open = () => {
      const [here, there] = links.map(({ commands }) => new RateLimits(true, commands));
      if (!here || !there) throw new Error('two nodes');
      return { here, there };
    };

    rateLimitsContract(open);

    test('[P15][P24] Redis away: each node counts for itself, and none is without a limit', async () => {
      const { here, there } = open();
      await redis.kill();
      expect(await taken([here], 'dan', 15)).toBe(10);
      expect(await taken([there], 'dan', 15)).toBe(10);
      await redis.start();
      await expect.poll(() => links.every(({ isUp }) => isUp)).toBe(true);
      expect(await taken([here, there], 'eve', 6)).toBe(10);
    });
  });
