/** From a send to its arrivals, at 20,000 deliveries a second in rooms of ten: beside a bare `ws`, and beside a guide's architecture. */
import { must } from '#lib/must';
import { newCrowd } from './crowd.ts';
import type { Round } from './load/orders.ts';
import { startGuide } from './guide.ts';
import { type Figure, median, round } from './stats.ts';
import { type Measured, newTarget, startTargets, type Target } from './targets.ts';
import type { World } from './world.ts';

const ROOMS = 100;
const ROOM_SIZE = 10;
const SENDS_PER_SECOND = 2_000;
const ROUNDS = 5;
const SECONDS = 2;
/** Sends per second at which the guide's architecture is tried, until it does not keep up. */
const GUIDE_RATES = [50, 100, 200, 300, 400, 600, 800, 1_200, 1_600, 2_000];
/** Whoever needs so much longer than the sends took does not keep up. */
const BEHIND_MS = 500;

const paced = (perSecond: number): Omit<Round, 'texts'> => ({
  scope: 'rooms',
  perSecond,
  count: Math.ceil((perSecond * SECONDS) / ROOMS),
});
const keepsUp = ({ ms }: Measured, { count }: Omit<Round, 'texts'>, perSecond: number) =>
  ms < (count * ROOMS * 1000) / perSecond + BEHIND_MS;

async function highestRate(guide: Target): Promise<{ perSecond: number; seen: Measured } | null> {
  let best: { perSecond: number; seen: Measured } | null = null;
  for (const perSecond of GUIDE_RATES) {
    const wanted = paced(perSecond);
    const seen = await guide.round(wanted);
    if (!keepsUp(seen, wanted, perSecond)) break;
    best = { perSecond, seen };
  }
  return best;
}

export async function measureLatencyUnderLoad(world: World): Promise<Figure[]> {
  await using crowd = await newCrowd(world);
  await using targets = await startTargets(world, crowd, ['ws']);
  await targets.open(ROOMS * ROOM_SIZE);
  const [parley, ws] = targets.all.map((target) => ({ target, rounds: [] as Measured[] }));
  const both = [must(parley, 'started'), must(ws, 'started')] as const;
  for (let i = 0; i <= ROUNDS; i++)
    for (const { target, rounds } of both) {
      const seen = await target.round(paced(SENDS_PER_SECOND));
      // The first round warms up.
      if (i > 0) rounds.push(seen);
    }
  const of = (key: 'p50' | 'p99', { rounds }: (typeof both)[number]) => round(median(rounds.map((one) => one[key])));
  const [ours, bare] = both.map((one) => ({ p50: of('p50', one), p99: of('p99', one) }));

  await using guide = await startGuide(world, crowd);
  const target = await newTarget(guide, { protocol: 'socket.io' }, crowd);
  await target.load.order('open', { count: ROOMS * ROOM_SIZE });
  await target.round(paced(GUIDE_RATES[0] ?? 1));
  const best = await highestRate(target);
  await target[Symbol.asyncDispose]();
  const [p99, bareP99] = [must(ours, 'measured').p99, must(bare, 'measured').p99];
  return [
    {
      name: 'p99 at 20,000 deliveries/s / bare ws',
      value: round(p99 / bareP99),
      unit: 'x',
      limit: 2,
      parts: { p50Ms: ours?.p50 ?? 0, p99Ms: p99, 'ws p50Ms': bare?.p50 ?? 0, 'ws p99Ms': bareP99 },
    },
    {
      name: `the same / the guide's at the highest rate it survives`,
      value: best ? round(p99 / best.seen.p99) : 0,
      unit: 'x',
      limit: 0.33,
      parts: best
        ? {
            'guide deliveriesPerSecond': best.perSecond * ROOM_SIZE,
            'guide p50Ms': round(best.seen.p50),
            'guide p99Ms': round(best.seen.p99),
          }
        : {},
    },
  ];
}
