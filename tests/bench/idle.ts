/** What a connection that does nothing costs: in memory, one by one and 20,000 of them. */
import { execFileSync } from 'node:child_process';
import { newCrowd, type Crowd } from './crowd.ts';
import { freshParley, freshPeer, heldBytes } from './memory.ts';
import { startLoad } from './load/load.ts';
import { type Figure, round } from './stats.ts';
import { residentBytes } from './process.ts';
import type { Target } from './targets.ts';
import type { World } from './world.ts';

/** Before the first look: what serving anybody at all costs is not the connections'. */
const WARM = 500;
const CONNECTIONS = 5_000;
const MANY = 20_000;
/** Files and sockets that a process has open beside its connections. */
const SPARE = 200;

async function kbPerConnection(starting: Promise<Target>): Promise<number> {
  await using target = await starting;
  await target.load.order('open', { count: WARM });
  const before = await heldBytes(target);
  await target.load.order('open', { count: CONNECTIONS });
  return round(((await heldBytes(target)) - before) / 1024 / CONNECTIONS, 1);
}

/** As many of 20,000 as this system lets one process open, by several processes of load. */
async function many(world: World, crowd: Crowd): Promise<Figure> {
  await using target = await freshParley(world, crowd);
  const allowed = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })) || MANY + SPARE;
  const connections = Math.min(MANY, allowed - SPARE);
  const before = residentBytes(target.pid);
  const loads = Array.from({ length: Math.ceil(MANY / CONNECTIONS) }, startLoad);
  let opened = 0;
  const began = performance.now();
  try {
    for (const load of loads) {
      await load.order('begin', { protocol: 'parley', ports: [target.port], who: crowd.who });
      const count = Math.min(CONNECTIONS, connections - opened);
      await load.order('open', { count });
      opened += count;
    }
    const seconds = (performance.now() - began) / 1000;
    const after = await heldBytes(target);
    // An order fails when a connection has been lost meanwhile.
    for (const load of loads) await load.order('leave', null);
    return {
      name: '20,000 idle connections with the feed, one process',
      value: round((before + (after - before) * (MANY / opened)) / 1e9),
      unit: 'GB',
      limit: 0.6,
      parts: { connections: opened, gb: round(after / 1e9), openedInS: round(seconds, 1) },
    };
  } finally {
    for (const load of loads) await load.end();
  }
}

export async function measureIdle(world: World): Promise<Figure[]> {
  await using crowd = await newCrowd(world);
  const feed = await kbPerConnection(freshParley(world, crowd));
  const four = await kbPerConnection(freshParley(world, crowd, { signals: true }));
  const beside = {
    'ws kb': await kbPerConnection(freshPeer('ws', crowd)),
    'socket.io kb': await kbPerConnection(freshPeer('socket.io', crowd)),
    'trpc with one subscription kb': await kbPerConnection(freshPeer('trpc', crowd)),
  };
  const trpcFour = await kbPerConnection(freshPeer('trpc', crowd, true));
  return [
    { name: 'idle connection with the feed', value: feed, unit: 'KB', limit: 25, parts: beside },
    {
      name: 'idle connection with all four subscriptions',
      value: four,
      unit: 'KB',
      limit: 55,
      parts: { 'trpc with four kb': trpcFour },
    },
    await many(world, crowd),
  ];
}
