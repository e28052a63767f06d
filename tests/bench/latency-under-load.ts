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
const ROUNDS = 9;
/** Compilers of all processes are busy for so long, and collectors that come after some quiet seconds. */
const WARM_UPS = 5;
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

async function highestRate(guide: Target): Promise<number> {
  let best = 0;
  for (const perSecond of GUIDE_RATES) {
    const wanted = paced(perSecond);
    if (!keepsUp(await guide.round(wanted), wanted, perSecond)) break;
    best = perSecond;
  }
  if (best === 0) throw new Error('the guide does not even keep up with the lowest rate');
  return best;
}

async function inTurnsAt(perSecond: number, targets: readonly Target[]): Promise<{ p50s: number[]; p99s: number[] }[]> {
  const seen = targets.map(() => ({ p50s: [] as number[], p99s: [] as number[] }));
  for (let i = -WARM_UPS; i < ROUNDS; i++)
    for (const [n, target] of targets.entries()) {
      const { p50, p99 } = await target.round(paced(perSecond));
      if (i < 0) continue;
      seen[n]?.p50s.push(p50);
      seen[n]?.p99s.push(p99);
    }
  return seen;
}

async function compare(perSecond: number, peer: string, limit: number, targets: readonly Target[]): Promise<Figure> {
  const [ours, theirs] = await inTurnsAt(perSecond, targets);
  const [a, b] = [must(ours, 'Parley had its turns'), must(theirs, 'the peer had its turns')];
  return {
    name: `p99 at ${(perSecond * ROOM_SIZE).toLocaleString('en')} deliveries/s in rooms of 10 / ${peer}`,
    value: round(medianRatio(a.p99s, b.p99s)),
    unit: 'x',
    limit,
    parts: {
      p50Ms: round(median(a.p50s)),
      p99Ms: round(median(a.p99s)),
      [`${peer} p50Ms`]: round(median(b.p50s)),
      [`${peer} p99Ms`]: round(median(b.p99s)),
    },
  };
}

export async function measureLatencyUnderLoad(world: World): Promise<Figure[]> {
  await using crowd = await newCrowd(world);
  await using targets = await startTargets(world, crowd, ['ws']);
  await targets.open(ROOMS * ROOM_SIZE);
  const besideWs = await compare(SENDS_PER_SECOND, 'ws', 2, targets.all);

  await using place = await startGuide(world, crowd);
  await using guide = await newTarget(place, { protocol: 'socket.io' }, crowd);
  await guide.load.order('open', { count: ROOMS * ROOM_SIZE });
  await guide.round(paced(GUIDE_RATES[0] ?? 1));
  // At the same rate for both: the highest that the guide survives.
  const besideGuide = await compare(await highestRate(guide), 'guide', 0.33, [
    must(targets.all[0], 'Parley is the first target'),
    guide,
  ]);
  return [besideWs, besideGuide];
}
