/** One message to many connections, beside a bare `ws`, socket.io and tRPC as documented: deliveries per second, and CPU for each. */
import { must } from '#lib/must';
import { newCrowd } from './crowd.ts';
import type { Scope } from './load/orders.ts';
import { type Figure, median, medianRatio, round } from './stats.ts';
import { startTargets } from './targets.ts';
import { inTurns, type Seen } from './turns.ts';
import type { World } from './world.ts';

interface Step {
  readonly name: string;
  readonly connections: number;
  readonly scope: Scope;
  readonly probe: number;
  /** Messages under way at a time, where it is not one: then nobody waits for a commit or for the last one to arrive. */
  readonly inFlight?: number;
}

const STEPS: readonly Step[] = [
  { name: '100', connections: 100, scope: 'all', probe: 200 },
  { name: '1,000', connections: 1_000, scope: 'all', probe: 20 },
  { name: '1,000, four under way', connections: 1_000, scope: 'all', probe: 20, inFlight: 4 },
  { name: '100 rooms of 10', connections: 1_000, scope: 'rooms', probe: 10 },
  { name: '5,000', connections: 5_000, scope: 'all', probe: 5 },
  { name: '5,000, four under way', connections: 5_000, scope: 'all', probe: 8, inFlight: 4 },
];
/** What the ratio is to reach, by the peer beside. */
const AT_LEAST = { ws: 0.85, 'socket.io': 1.5, trpc: 5 } as const;
type Peer = keyof typeof AT_LEAST;
const PEERS = Object.keys(AT_LEAST) as Peer[];

function compare(step: Step, peer: Peer, ours: Seen, theirs: Seen): Figure[] {
  const isJudged = step.scope === 'all' && step.connections >= 1_000;
  const judged = isJudged ? { atLeast: AT_LEAST[peer] } : {};
  const both = (key: keyof Seen, name: string, digits: number) => ({
    [name]: round(median(ours[key]), digits),
    [`${peer} ${name}`]: round(median(theirs[key]), digits),
  });
  return [
    {
      name: `fan-out to ${step.name}, deliveries/s / ${peer}`,
      value: round(medianRatio(ours.rates, theirs.rates)),
      unit: 'x',
      ...judged,
      parts: { ...both('rates', 'perSecond', 0), ...both('loadCosts', 'loadUs', 1) },
    },
    {
      name: `fan-out to ${step.name}, deliveries per CPU / ${peer}`,
      value: round(medianRatio(theirs.costs, ours.costs)),
      unit: 'x',
      ...judged,
      parts: both('costs', 'us', 1),
    },
  ];
}

export async function measureFanOut(world: World): Promise<Figure[]> {
  await using crowd = await newCrowd(world);
  await using targets = await startTargets(world, crowd, PEERS);
  const figures: Figure[] = [];
  const costs: number[] = [];
  for (const step of STEPS) {
    await targets.open(step.connections);
    const seen = await inTurns(
      targets.all.map((target) => ({ target, round: { scope: step.scope, inFlight: step.inFlight ?? 1 } })),
      step.probe,
    );
    const [ours, ...theirs] = seen;
    const parley = must(ours, 'Parley is the first target');
    if (step.scope === 'all' && !step.inFlight) costs.push(median(parley.costs));
    figures.push(...PEERS.flatMap((peer, i) => compare(step, peer, parley, must(theirs[i], 'each peer has its turn'))));
  }
  const [few = 1, , many = 1] = costs;
  figures.push({
    name: 'CPU per delivery, 5,000 connections / 100',
    value: round(many / few),
    unit: 'x',
    limit: 1.2,
    parts: { 'us at 100': round(few, 1), 'us at 5,000': round(many, 1) },
  });
  return figures;
}
