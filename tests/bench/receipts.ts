/** A thousand people in one group read what is new, all at the same time, again and again; then the same while all of them watch. */
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '#lib/must';
import { newCrowd } from './crowd.ts';
import { clusterOf } from './postgres.ts';
import { cpuUs } from './process.ts';
import { type Figure, median, round } from './stats.ts';
import { newTarget, placeOf, type Target } from './targets.ts';
import type { World } from './world.ts';

const PEOPLE = 1_000;
/** All but the one who wrote. */
const READERS = PEOPLE - 1;
/** New for each reading: what would be a row each, if rows were by message. */
const MESSAGES = 20;
const SWEEPS = 5;
const ROUNDS = 7;
/** What is told late is told by then, and belongs to the sweep. */
const SETTLE_MS = 250;
const LIMIT_MS = 10;

/** Milliseconds for 1,000 calls. */
interface Seen {
  server: number[];
  database: number[];
  wall: number[];
  told: number[];
  load: number[];
  signals: number[];
}

const nothing = (): Seen => ({ server: [], database: [], wall: [], told: [], load: [], signals: [] });

export async function measureReceipts(world: World): Promise<Figure[]> {
  await using crowd = await newCrowd(world);
  const cluster = await clusterOf(world);
  const conversationId = must(crowd.conversationIds.all[0], 'everybody is in one group');
  const lastSeq = async () => {
    const [row] = await world.sql`select last_seq from conversations where id = ${conversationId}`;
    return Number(row?.last_seq);
  };
  const rows = async () => {
    const [row] = await world.sql`select count(*)::int as count from receipts`;
    return row?.count as number;
  };

  async function sweeps(
    target: Target,
    seen: Seen,
    of: (k: number) => { path: string; input: object; readSeq: number },
    readers = 0,
  ) {
    const [server, stored] = [cpuUs(world.pid), cluster.cpuUs()];
    const each: { ms: number; toldMs: number; ownCpuUs: number; signals: number }[] = [];
    for (let k = 1; k <= SWEEPS; k++) {
      const result = await target.load.order('sweep', { ...of(k), readers });
      if (result.refused > 0 || !result.told) throw new Error(`${result.refused} refused, all told: ${result.told}`);
      each.push(result);
      await sleep(SETTLE_MS);
    }
    const mean = (pick: (one: (typeof each)[number]) => number) =>
      each.reduce((sum, one) => sum + pick(one), 0) / SWEEPS;
    seen.server.push((cpuUs(world.pid) - server) / 1_000 / SWEEPS);
    seen.database.push((cluster.cpuUs() - stored) / 1_000 / SWEEPS);
    seen.wall.push(mean(({ ms }) => ms));
    seen.told.push(mean(({ toldMs }) => toldMs));
    seen.load.push(mean(({ ownCpuUs }) => ownCpuUs / 1_000));
    seen.signals.push(mean(({ signals }) => signals));
  }

  /** New messages first, then everybody reads a part of them, and the next. */
  async function read(target: Target, seen: Seen, readers: number): Promise<number> {
    const from = await lastSeq();
    await target.round({ scope: 'all', count: MESSAGES * SWEEPS });
    const before = await rows();
    const of = (k: number) => {
      const readSeq = from + k * MESSAGES;
      return { path: 'receipts.advance', input: { conversationId, readSeq }, readSeq };
    };
    await sweeps(target, seen, of, readers);
    const [behind] = await world.sql`
      select count(*)::int as count from conversation_participants
      where conversation_id = ${conversationId} and read_seq < ${from + MESSAGES * SWEEPS}`;
    if (behind?.count !== 0) throw new Error(`${behind?.count} people have not read`);
    return ((await rows()) - before) / PEOPLE / SWEEPS;
  }

  const [calls, unwatched, watched] = [nothing(), nothing(), nothing()];
  const rowsEach: number[] = [];
  {
    await using target = await newTarget(placeOf(world), { protocol: 'parley' }, crowd);
    await target.load.order('open', { count: PEOPLE });
    const idle = () => ({ path: 'presence.set', input: { status: 'online' }, readSeq: 0 });
    for (let i = -1; i < ROUNDS; i++) {
      const [c, u] = i < 0 ? [nothing(), nothing()] : [calls, unwatched];
      await sweeps(target, c, idle);
      rowsEach.push(await read(target, u, 0));
    }
  }
  {
    await using target = await newTarget(
      placeOf(world),
      { protocol: 'parley', signals: true, peers: crowd.peers },
      crowd,
    );
    await target.load.order('open', { count: PEOPLE });
    for (let i = -1; i < ROUNDS; i++) rowsEach.push(await read(target, i < 0 ? nothing() : watched, READERS));
  }
  // What goes on anyway, and what any call costs, was measured with calls that do nothing, round by round.
  const less = (from: readonly number[], of: readonly number[]) => from.map((ms, i) => ms - (of[i] ?? 0));
  const database = less(unwatched.database, calls.database);
  const own = less(unwatched.server, calls.server);
  const of = (values: readonly number[]) => round(median(values), 1);
  const parts = (seen: Seen) => ({
    serverMs: of(seen.server),
    databaseMs: of(seen.database),
    wallMs: of(seen.wall),
    loadMs: of(seen.load),
  });
  return [
    {
      name: '1,000 advances: work beside that of the calls themselves',
      value: of(own.map((ms, i) => ms + (database[i] ?? 0))),
      unit: 'ms',
      limit: LIMIT_MS,
      parts: { serverMs: of(own), databaseMs: of(database), callsAloneMs: of(calls.server) },
    },
    {
      name: '1,000 advances: CPU of the database',
      value: of(database),
      unit: 'ms',
      limit: LIMIT_MS,
      parts: {},
    },
    {
      name: '1,000 advances through the API: all CPU of server and database',
      value: of(unwatched.server.map((ms, i) => ms + (unwatched.database[i] ?? 0))),
      unit: 'ms',
      parts: parts(unwatched),
    },
    {
      name: 'the same while 1,000 watch',
      value: of(watched.server.map((ms, i) => ms + (watched.database[i] ?? 0))),
      unit: 'ms',
      parts: { ...parts(watched), toldMs: of(watched.told), signals: of(watched.signals) },
    },
    {
      name: `rows for each person who reads ${MESSAGES} messages`,
      value: round(Math.max(...rowsEach)),
      unit: '',
      limit: 1,
      parts: {},
    },
  ];
}
