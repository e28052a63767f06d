/** People who type: one in a group of 1,000, and one in each of a hundred rooms of ten; beside a bare `ws` that sends as many bytes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '#lib/must';
import { newCrowd } from './crowd.ts';
import type { Scope } from './load/orders.ts';
import { clusterOf } from './postgres.ts';
import { type Figure, median, medianRatio, round } from './stats.ts';
import { newTarget, placeOf, startPeer } from './targets.ts';
import { inTurns } from './turns.ts';
import type { World } from './world.ts';

const STEPS: readonly { name: string; scope: Scope; hearers: number; probe: number }[] = [
  { name: 'a group of 1,000', scope: 'all', hearers: 999, probe: 20 },
  { name: 'rooms of ten', scope: 'rooms', hearers: 9, probe: 10 },
];
const CONNECTIONS = 1_000;
/** The server says by itself that somebody has stopped, six seconds after his last word: not in the next step. */
const STOPPED_MS = 7_000;

export async function measureTyping(world: World): Promise<Figure[]> {
  await using crowd = await newCrowd(world);
  const cluster = await clusterOf(world);
  const speaking = { protocol: 'parley', signals: true, counted: 'typing' } as const;
  await using ours = await newTarget(placeOf(world), speaking, crowd);
  const [conversationId, userId] = [crowd.conversationIds.all[0], crowd.peers[0]];
  const signal = { conversationId, userId, isTyping: true, at: new Date().toISOString() };
  const frame = JSON.stringify({ id: 2, result: { type: 'data', data: signal } });
  await using ws = await newTarget(await startPeer('ws', { frame }), { protocol: 'ws' }, crowd);
  for (const { load } of [ours, ws]) await load.order('open', { count: CONNECTIONS });

  let said = 0;
  let stored = 0;
  const call = (id: string) => {
    const input = { conversationId: id, isTyping: true };
    return JSON.stringify({ id: 100 + ++said, method: 'mutation', params: { path: 'typing.set', input } });
  };
  const figures: Figure[] = [];
  for (const { name, scope, hearers, probe } of STEPS) {
    const texts = (count: number) =>
      crowd.conversationIds[scope].map((id) => Array.from({ length: count }, () => call(id)));
    const [calls, database] = [said, cluster.cpuUs()];
    const seen = await inTurns(
      [
        { target: ours, round: { scope, othersOnly: true }, texts },
        { target: ws, round: { scope } },
      ],
      probe,
    );
    stored = (cluster.cpuUs() - database) / (said - calls);
    const [a, b] = [must(seen[0], 'Parley had its turns'), must(seen[1], 'the peer had its turns')];
    figures.push({
      name: `typing in ${name}, CPU per signal / ws`,
      value: round(medianRatio(a.costs, b.costs)),
      unit: 'x',
      parts: {
        us: round(median(a.costs), 1),
        'ws us': round(median(b.costs), 1),
        'us for each call': round(median(a.costs) * hearers, 0),
        'database us for each call': round(stored, 1),
        p50Ms: round(median(a.p50s), 1),
      },
    });
    await sleep(STOPPED_MS);
  }
  return figures;
}
