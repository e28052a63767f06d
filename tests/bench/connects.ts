/** 5,000 clients that come at once, until each follows what happens: beside tRPC as documented with one subscription. */
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '#lib/must';
import { newCrowd } from './crowd.ts';
import { cpuUs } from './process.ts';
import { type Figure, median, round } from './stats.ts';
import { startTargets, type Target } from './targets.ts';
import type { World } from './world.ts';

const CONNECTIONS = 5_000;
const ROUNDS = 3;
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
  const medians = rounds.map((all) => ({
    seconds: round(median(all.map(({ seconds }) => seconds))),
    cpuUs: round(median(all.map((one) => one.cpuUs)), 0),
  }));
  const [parley, ...peers] = medians;
  const ours = must(parley, 'Parley is the first target');
  const trpc = must(peers[0], 'tRPC is the first peer');
  const beside = (key: keyof Seen) =>
    Object.fromEntries([[key, ours[key]], ...PEERS.map((peer, i) => [`${peer} ${key}`, peers[i]?.[key] ?? 0])]);
  return [
    {
      name: '5,000 connects with the feed / tRPC with one subscription',
      value: round(ours.seconds / trpc.seconds),
      unit: 'x',
      limit: 1.2,
      parts: { ...beside('seconds'), 'first round': first[0] ?? 0, 'trpc first round': first[1] ?? 0 },
    },
    {
      name: 'the same, CPU of the server for each',
      value: round(ours.cpuUs / trpc.cpuUs),
      unit: 'x',
      limit: 1.2,
      parts: beside('cpuUs'),
    },
  ];
}
