/** From a send to its arrivals, at 20,000 deliveries a second in rooms of ten: beside a bare `ws`, and beside a guide's architecture. */
import { must } from '#lib/must';
import { newCrowd } from './crowd.ts';
import type { Round } from './load/orders.ts';
import { startGuide } from './peers/guide/start.ts';
import { type Figure, median, medianRatio, round } from './stats.ts';
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
  const rounds: Measured[][] = targets.all.map(() => []);
  for (let i = 0; i <= ROUNDS; i++)
    for (const [n, target] of targets.all.entries()) {
      const seen = await target.round(paced(SENDS_PER_SECOND));
      // The first round warms up.
      if (i > 0) rounds[n]?.push(seen);
    }
  const [parley = [], ws = []] = rounds;
  const p50s = (seen: readonly Measured[]) => seen.map(({ p50 }) => p50);
  const p99s = (seen: readonly Measured[]) => seen.map(({ p99 }) => p99);

  await using guide = await startGuide(world, crowd);
  await using target = await newTarget(guide, { protocol: 'socket.io' }, crowd);
  await target.load.order('open', { count: ROOMS * ROOM_SIZE });
  await target.round(paced(GUIDE_RATES[0] ?? 1));
  const best = must(await highestRate(target), 'the guide keeps up with the lowest rate');
  return [
    {
      name: 'p99 at 20,000 deliveries/s in rooms of 10 / bare ws',
      value: round(medianRatio(p99s(parley), p99s(ws))),
      unit: 'x',
      limit: 2,
      parts: {
        p50Ms: round(median(p50s(parley))),
        p99Ms: round(median(p99s(parley))),
        'ws p50Ms': round(median(p50s(ws))),
        'ws p99Ms': round(median(p99s(ws))),
      },
    },
    {
      name: `p99 at 20,000/s / the guide's at the highest rate it survives`,
      value: round(median(p99s(parley)) / best.seen.p99),
      unit: 'x',
      limit: 0.33,
      parts: {
        'guide perSecond': best.perSecond * ROOM_SIZE,
        'guide p50Ms': round(best.seen.p50),
        'guide p99Ms': round(best.seen.p99),
        'guide us': round(best.seen.cpuUs / best.seen.deliveries, 1),
      },
    },
  ];
}
