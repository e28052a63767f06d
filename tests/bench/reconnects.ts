/** 5,000 clients lose their connections, miss something, and all come back in the same moment, while others go on chatting. */
import { newCrowd } from './crowd.ts';
import type { Round } from './load/orders.ts';
import { cpuUs, residentBytes } from './process.ts';
import { type Figure, median, medianRatio, round } from './stats.ts';
import { newTarget, placeOf, startPeer } from './targets.ts';
import type { World } from './world.ts';

const CONNECTIONS = 5_000;
/** As many as systems let wait at a door. */
const AT_ONCE = 4_000;
const MISSED = 20;
const ROUNDS = 5;
/** One room of ten goes on chatting. */
const CHATTING = 10;
const CHAT: Omit<Round, 'texts'> = { scope: 'rooms', perSecond: 100, count: 500 };
const LOOK_MS = 20;

/** What it takes at most meanwhile, above what it takes now. */
async function growth<T>(pid: number, task: () => Promise<T>): Promise<{ done: T; bytes: number }> {
  const before = residentBytes(pid);
  let most = before;
  const look = setInterval(() => (most = Math.max(most, residentBytes(pid))), LOOK_MS);
  try {
    return { done: await task(), bytes: most - before };
  } finally {
    clearInterval(look);
  }
}

export async function measureReconnects(world: World): Promise<Figure[]> {
  await using crowd = await newCrowd(world);
  const place = placeOf(world);
  await using chatting = await newTarget(place, { protocol: 'parley' }, crowd);
  await using storm = await newTarget(place, { protocol: 'parley' }, crowd);
  await using peer = await newTarget(await startPeer('trpc', crowd), { protocol: 'trpc' }, crowd);
  await chatting.load.order('open', { count: CHATTING });
  const seen = { seconds: [] as number[], peer: [] as number[], us: [] as number[], mb: [] as number[] };
  const p99 = { quiet: [] as number[], storm: [] as number[] };

  for (let i = 0; i <= ROUNDS; i++) {
    const quiet = await chatting.round(CHAT);
    const who = (await crowd.resuming()).slice(CHATTING);
    await chatting.round({ scope: 'all', count: MISSED });
    await crowd.acknowledge();
    await storm.load.order('begin', { protocol: 'parley', ports: [place.port], who });
    const before = cpuUs(place.pid);
    const { done, bytes } = await growth(place.pid, () =>
      Promise.all([
        chatting.round(CHAT),
        storm.load.order('open', { count: CONNECTIONS, atOnce: AT_ONCE }).then((opened) => ({
          ...opened,
          cpu: cpuUs(place.pid) - before,
        })),
      ]),
    );
    const [chat, back] = done;
    // The messages, and how far their sender has come.
    if (back.received !== CONNECTIONS * (MISSED + 1))
      throw new Error(`${back.received} events came, not ${MISSED + 1} to each of ${CONNECTIONS}`);
    await storm.load.order('leave', null);
    const beside = await peer.load.order('open', { count: CONNECTIONS, atOnce: AT_ONCE });
    await peer.load.order('leave', null);
    // The first round warms up.
    if (i === 0) continue;
    seen.seconds.push(back.ms / 1000);
    seen.peer.push(beside.ms / 1000);
    seen.us.push(back.cpu / CONNECTIONS);
    seen.mb.push(bytes / 1e6);
    p99.quiet.push(quiet.p99);
    p99.storm.push(chat.p99);
  }
  return [
    {
      name: `5,000 come back at once, each ${MISSED} messages behind`,
      value: round(median(seen.seconds)),
      unit: 's',
      parts: {
        'server us each': round(median(seen.us), 0),
        'memory mb more': round(median(seen.mb), 0),
        'to trpc, nothing missed, s': round(median(seen.peer)),
      },
    },
    {
      name: 'meanwhile, p99 of who goes on chatting / when it is quiet',
      value: round(medianRatio(p99.storm, p99.quiet), 1),
      unit: 'x',
      parts: { p99Ms: round(median(p99.storm), 1), 'quiet p99Ms': round(median(p99.quiet), 1) },
    },
  ];
}
