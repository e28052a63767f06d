/** Two server processes on one database and one Redis: what it costs when who hears a message is elsewhere than who sends it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '#lib/must';
import { newRedis } from '../harness/redis.ts';
import { newCrowd, type Crowd } from './crowd.ts';
import type { Round } from './load/orders.ts';
import { cpuUs, freePort, start, stop } from './process.ts';
import { type Figure, median, medianRatio, round } from './stats.ts';
import { newTarget, type Place, placeOf, type Target } from './targets.ts';
import type { World } from './world.ts';

const CONNECTIONS = 1_000;
const ROOMS = 100;
const ROUNDS = 5;
/** What the process without Redis has written, the nodes must have found before anybody listens there. */
const SETTLE_MS = 2_500;
const SECONDS = 2;
const paced = (perSecond: number): Round => ({
  scope: 'rooms',
  perSecond,
  count: Math.ceil((perSecond * SECONDS) / ROOMS),
});
/** Far below what one process can do, and a rate at which it is busy. */
const CALM = paced(200);
const TO_ALL: Round = { scope: 'all', count: 60 };

async function startNode(env: Record<string, string>): Promise<Place> {
  const port = await freePort();
  const server = await start(['dist/server/main.js'], { ...env, PORT: String(port) }, 'ready');
  return { pid: server.pid ?? 0, port, stop: () => stop(server) };
}

async function newSetting(name: string, place: Place, crowd: Crowd, pids: readonly number[]) {
  const target = await newTarget(place, { protocol: 'parley' }, crowd);
  return { name, target, pids, p50: [] as number[], p99: [] as number[], rates: [] as number[], us: [] as number[] };
}

export async function measureTwoNodes(world: World): Promise<Figure[]> {
  await using crowd = await newCrowd(world);
  await using redis = await newRedis();
  const redisPid = Number(/process_id:(\d+)/.exec(await redis.client.info('server'))?.[1]);
  const env = { ...world.env, REDIS_URL: redis.url };
  const [a, b] = [await startNode(env), await startNode(env)];
  const pids = [a.pid, b.pid, redisPid];
  /** In each room of ten the first one sends. */
  const across = [a.port, ...Array.from({ length: 9 }, () => b.port)];
  const targets: Target[] = [];
  try {
    const settings = [
      await newSetting('one process', placeOf(world), crowd, [world.pid]),
      await newSetting('same node', { ...a, stop: async () => {} }, crowd, pids),
      await newSetting('other node', { ...a, ports: across, stop: async () => {} }, crowd, pids),
      await newSetting('half and half', { ...a, ports: [a.port, b.port], stop: async () => {} }, crowd, pids),
    ];
    targets.push(...settings.map(({ target }) => target));
    for (let i = 0; i <= ROUNDS; i++)
      for (const one of settings) {
        // They are the same people, who would hear what is sent in another setting.
        await crowd.acknowledge();
        await sleep(SETTLE_MS);
        await one.target.load.order('open', { count: CONNECTIONS });
        const { p50, p99 } = await one.target.round(CALM);
        const before = one.pids.map(cpuUs);
        const { ms, deliveries } = await one.target.round(TO_ALL);
        const used = one.pids.reduce((sum, pid, n) => sum + cpuUs(pid) - (before[n] ?? 0), 0);
        await one.target.load.order('leave', null);
        // The first round warms up.
        if (i === 0) continue;
        one.p50.push(p50);
        one.p99.push(p99);
        one.rates.push((deliveries * 1000) / ms);
        one.us.push(used / deliveries);
      }
    const [alone, , other, half] = settings;
    const [single, apart, split] = [must(alone, 'first'), must(other, 'third'), must(half, 'fourth')];
    const parts = (key: 'p50' | 'p99' | 'rates' | 'us', digits: number) =>
      Object.fromEntries(settings.map((one) => [`${one.name} ${key}`, round(median(one[key]), digits)]));
    return [
      {
        name: 'two nodes: from one to the other, p50 / within one process',
        value: round(medianRatio(apart.p50, single.p50)),
        unit: 'x',
        parts: { ...parts('p50', 2), ...parts('p99', 1) },
      },
      {
        name: 'two nodes: CPU for each of 1,000 deliveries / one process',
        value: round(medianRatio(split.us, single.us)),
        unit: 'x',
        parts: { ...parts('us', 1), ...parts('rates', 0) },
      },
    ];
  } finally {
    await Promise.all(targets.map((target) => target[Symbol.asyncDispose]()));
    for (const node of [a, b]) await node.stop?.();
  }
}
