/** 5,000 connections that look at the same ten people, one of whom comes and goes: beside a bare `ws` that sends as many bytes to all. */
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '#lib/must';
import { newCrowd } from './crowd.ts';
import { freshParley } from './memory.ts';
import { cpuUs } from './process.ts';
import { type Figure, median, medianRatio, round } from './stats.ts';
import { newTarget, startPeer } from './targets.ts';
import { inTurns } from './turns.ts';
import type { World } from './world.ts';

const CONNECTIONS = 5_000;
/** For what people say of themselves by coming. */
const SETTLE_MS = 3_000;
const IDLE_MS = 10_000;
const PROBE = 5;

export async function measurePresence(world: World): Promise<Figure[]> {
  await using crowd = await newCrowd(world);
  await using ours = await freshParley(world, crowd, { signals: true, counted: 'presence' });
  const signal = { userId: crowd.peers[0], status: 'online', lastSeenAt: null };
  const frame = JSON.stringify({ id: 3, result: { type: 'data', data: signal } });
  await using ws = await newTarget(await startPeer('ws', { frame }), { protocol: 'ws' }, crowd);
  for (const { load } of [ours, ws]) await load.order('open', { count: CONNECTIONS });
  await sleep(SETTLE_MS);
  const before = cpuUs(ours.pid);
  await sleep(IDLE_MS);
  const idle = (cpuUs(ours.pid) - before) / 1_000 / IDLE_MS;

  let said = 0;
  const next = () => {
    const input = { status: said++ % 2 === 0 ? 'away' : 'online' };
    return JSON.stringify({ id: 100 + said, method: 'mutation', params: { path: 'presence.set', input } });
  };
  const seen = await inTurns(
    [
      { target: ours, round: { scope: 'all' }, texts: (count) => [Array.from({ length: count }, next)] },
      { target: ws, round: { scope: 'all' } },
    ],
    PROBE,
  );
  const [a, b] = [must(seen[0], 'Parley had its turns'), must(seen[1], 'the peer had its turns')];
  return [
    {
      name: 'presence at 5,000 connections, CPU per signal / ws',
      value: round(medianRatio(a.costs, b.costs)),
      unit: 'x',
      parts: {
        us: round(median(a.costs), 1),
        'ws us': round(median(b.costs), 1),
        'told p50Ms': round(median(a.p50s), 0),
        'told p99Ms': round(median(a.p99s), 0),
        'of a core when nothing happens': round(idle, 3),
      },
    },
  ];
}
