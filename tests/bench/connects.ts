/** 5,000 clients that come at once, until each follows what happens: beside tRPC as documented with one subscription. */
import { setTimeout as sleep } from 'node:timers/promises';
import { newCrowd } from './crowd.ts';
import { cpuUs } from './process.ts';
import { type Figure, median, medianRatio, round } from './stats.ts';
import { startTargets, type Target } from './targets.ts';
import type { World } from './world.ts';

const CONNECTIONS = 5_000;
const ROUNDS = 5;
/** For the farewells of a round before the next one. */
const BETWEEN_MS = 1_500;
const PEERS = ['trpc', 'socket.io', 'ws'] as const;

interface Seen {
  readonly seconds: number;
  readonly cpuUs: number;
}

async function connect({ load, pid }: Target): Promise<Seen> {
  const before = cpuUs(pid);
  const { ms } = await load.order('open', { count: CONNECTIONS });
  const seen = { seconds: ms / 1000, cpuUs: (cpuUs(pid) - before) / CONNECTIONS };
  await load.order('leave', null);
  await sleep(BETWEEN_MS);
  return seen;
}

export async function measureConnects(world: World): Promise<Figure[]> {
  await using crowd = await newCrowd(world);
  await using targets = await startTargets(world, crowd, PEERS);
  const rounds: Seen[][] = targets.all.map(() => []);
  const first: number[] = [];
  for (let i = 0; i <= ROUNDS; i++)
    for (const [n, target] of targets.all.entries()) {
      const seen = await connect(target);
      // The first round warms up.
      if (i > 0) rounds[n]?.push(seen);
      else first.push(round(seen.seconds));
    }
  const all = (key: keyof Seen, n: number) => (rounds[n] ?? []).map((one) => one[key]);
  const beside = (key: keyof Seen, digits: number) =>
    Object.fromEntries(['', ...PEERS].map((who, n) => [`${who} ${key}`.trim(), round(median(all(key, n)), digits)]));
  return [
    {
      name: '5,000 connects with the feed / tRPC with one subscription',
      value: round(medianRatio(all('seconds', 0), all('seconds', 1))),
      unit: 'x',
      limit: 1.2,
      parts: { ...beside('seconds', 2), 'first round': first[0] ?? 0, 'trpc first round': first[1] ?? 0 },
    },
    {
      name: 'the same, CPU of the server for each',
      value: round(medianRatio(all('cpuUs', 0), all('cpuUs', 1))),
      unit: 'x',
      limit: 1.2,
      parts: beside('cpuUs', 0),
    },
  ];
}
