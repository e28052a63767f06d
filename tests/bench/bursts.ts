/** Ten messages under way at a time to 1,000 connections, beside a bare `ws` that sends one after another. */
import { must } from '#lib/must';
import { newCrowd } from './crowd.ts';
import { type Figure, median, medianRatio, round } from './stats.ts';
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
  const seen = await inTurns(turns, PROBE);
  const [ours, one] = seen.map(({ rates }) => rates);
  const parts = ['', 'ws one by one ', 'ws in bursts '].flatMap((who, i) => {
    const { rates, costs, loadCosts } = must(seen[i], 'all had their turns');
    return [
      [`${who}perSecond`, round(median(rates) / CONNECTIONS, 0)],
      [`${who}us`, round(median(costs), 1)],
      [`${who}loadUs`, round(median(loadCosts), 1)],
    ] as const;
  });
  return {
    name: 'messages/s to 1,000 in bursts of 10 / bare ws one by one',
    value: round(medianRatio(ours ?? [], one ?? [])),
    unit: 'x',
    atLeast: 4,
    parts: Object.fromEntries(parts),
  };
}
