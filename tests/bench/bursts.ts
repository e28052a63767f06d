/** Ten messages under way at a time to 1,000 connections, beside a bare `ws` that sends one after another. */
import { must } from '#lib/must';
import { newCrowd } from './crowd.ts';
import { type Figure, round } from './stats.ts';
import { startTargets, type Target } from './targets.ts';
import { inTurns } from './turns.ts';
import type { World } from './world.ts';

const CONNECTIONS = 1_000;
const IN_FLIGHT = 10;
const PROBE = 40;

export async function measureBursts(world: World): Promise<Figure> {
  await using crowd = await newCrowd(world);
  await using targets = await startTargets(world, crowd, ['ws']);
  await targets.open(CONNECTIONS);
  const turn = (target: Target | undefined, inFlight: number) => ({
    target: must(target, 'both were started'),
    round: { scope: 'all' as const, inFlight },
  });
  const [parley, ws] = targets.all;
  const turns = [turn(parley, IN_FLIGHT), turn(ws, 1), turn(ws, IN_FLIGHT)];
  const [ours, one, ten] = (await inTurns(turns, PROBE)).map(({ rate, cost, loadCost }) => ({
    perSecond: round(rate / CONNECTIONS, 0),
    us: round(cost, 1),
    loadUs: round(loadCost, 1),
  }));
  const parts = Object.entries({ '': ours, 'ws one by one ': one, 'ws in bursts ': ten }).flatMap(([who, seen]) =>
    Object.entries(seen ?? {}).map(([key, value]) => [`${who}${key}`, value] as const),
  );
  return {
    name: 'messages/s to 1,000 in bursts of 10 / bare ws one by one',
    value: round((ours?.perSecond ?? 0) / (one?.perSecond ?? 1)),
    unit: 'x',
    atLeast: 4,
    parts: Object.fromEntries(parts),
  };
}
