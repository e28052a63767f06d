/** One message to many connections, beside a bare `ws`, socket.io and tRPC as documented: deliveries per second, and CPU for each. */
import { newCrowd } from './crowd.ts';
import type { Scope } from './load/orders.ts';
import { type Figure, median, round } from './stats.ts';
import { countFor, type Measured, startTargets, type Target } from './targets.ts';
import type { World } from './world.ts';

const ROUNDS = 5;
const ROUND_MS = 1_000;
const STEPS: readonly { name: string; connections: number; scope: Scope; probe: number }[] = [
  { name: 'fan-out to 100', connections: 100, scope: 'all', probe: 200 },
  { name: 'fan-out to 1,000', connections: 1_000, scope: 'all', probe: 20 },
  { name: 'fan-out to 100 rooms of 10', connections: 1_000, scope: 'rooms', probe: 10 },
  { name: 'fan-out to 5,000', connections: 5_000, scope: 'all', probe: 5 },
];
/** What the ratio is to reach, by the peer beside. */
const AT_LEAST = { ws: 0.85, 'socket.io': 1.5, trpc: 5 } as const;
type Peer = keyof typeof AT_LEAST;
const PEERS = Object.keys(AT_LEAST) as Peer[];

export const rateOf = ({ deliveries, ms }: Measured) => (deliveries * 1000) / ms;
export const costOf = ({ cpuUs, deliveries }: Measured) => cpuUs / deliveries;

interface Seen {
  /** Medians: deliveries per second, and microseconds of the server's CPU for each. */
  readonly rate: number;
  readonly cost: number;
  /** The generator's own, which should be the smaller part. */
  readonly loadCost: number;
}

/** All targets in turns, so that they meet the same machine. */
async function inTurns(targets: readonly Target[], scope: Scope, probe: number): Promise<Map<string, Seen>> {
  const counts = new Map<Target, number>();
  for (const one of targets) counts.set(one, await countFor(one, scope, ROUND_MS, probe));
  const rounds = new Map<Target, Measured[]>(targets.map((one) => [one, []]));
  for (let i = 0; i < ROUNDS; i++)
    for (const one of targets) rounds.get(one)?.push(await one.round({ scope, count: counts.get(one) ?? probe }));
  return new Map(
    [...rounds].map(([{ name }, all]) => [
      name,
      {
        rate: median(all.map(rateOf)),
        cost: median(all.map(costOf)),
        loadCost: median(all.map(({ ownCpuUs, deliveries }) => ownCpuUs / deliveries)),
      },
    ]),
  );
}

export async function measureFanOut(world: World): Promise<Figure[]> {
  await using crowd = await newCrowd(world);
  await using started = await startTargets(world, crowd, PEERS);
  const targets = started.all;
  const figures: Figure[] = [];
  const costs: number[] = [];
  let open = 0;
  for (const { name, connections, scope, probe } of STEPS) {
    if (connections > open) for (const { load } of targets) await load.order('open', { count: connections - open });
    open = connections;
    const seen = await inTurns(targets, scope, probe);
    const parley = seen.get('parley');
    if (!parley) throw new TypeError('Parley is among the targets');
    if (scope === 'all') costs.push(parley.cost);
    for (const peer of PEERS) {
      const other = seen.get(peer) ?? parley;
      const judged = scope === 'all' && connections >= 1_000 ? { atLeast: AT_LEAST[peer] } : {};
      const parts = { loadUs: round(parley.loadCost, 1), [`${peer} loadUs`]: round(other.loadCost, 1) };
      figures.push(
        {
          name: `${name}: ${peer} / Parley, CPU per delivery`,
          value: round(other.cost / parley.cost),
          unit: 'x',
          ...judged,
          parts: { us: round(parley.cost, 1), [`${peer} us`]: round(other.cost, 1) },
        },
        {
          name: `${name}: Parley / ${peer}, deliveries per second`,
          value: round(parley.rate / other.rate),
          unit: 'x',
          ...judged,
          parts: { perSecond: round(parley.rate, 0), [`${peer} perSecond`]: round(other.rate, 0), ...parts },
        },
      );
    }
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
