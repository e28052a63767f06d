/** What a send costs when 1,000, 100,000 and 1,000,000 messages are stored already: three servers, each with a database of its own, in turns. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { must } from '#lib/must';
import { draft, newGroup, type Person, type Room, send } from '../harness/people.ts';
import { newComer } from '../harness/registration.ts';
import type { SendOrder, SendReport } from './ingest/sender.ts';
import { clusterOf, type Cluster } from './postgres.ts';
import { cpuUs } from './process.ts';
import { type Figure, median, medianRatio, round } from './stats.ts';
import { fill } from './stored.ts';
import { newWorld, type World } from './world.ts';

const STORED = [1_000, 100_000, 1_000_000];
const SENDERS = 4;
const IN_FLIGHT = 50;
const ROUNDS = 7;
const PER_ROUND = 4_000;
const LIMIT = 1.2;
const TEXT = 'the quick brown fox jumps over the lazy dog '.repeat(7).slice(0, 300);

interface Seen {
  /** Microseconds, for each send. */
  wall: number[];
  server: number[];
  database: number[];
}

interface Stock extends AsyncDisposable {
  readonly seen: Seen;
  round(child: ChildProcess, dir: string, isWarmUp: boolean): Promise<void>;
}

async function newStock(world: World, stored: number): Promise<Stock> {
  const wsUrl = `${world.url.replace('http', 'ws')}/trpc`;
  const people: Person[] = [];
  for (let i = 0; i < SENDERS; i++) people.push(await newComer({ url: world.url, wsUrl }, `bench-growth-${i}`));
  const [first, ...others] = people;
  const room = await newGroup(must(first, 'somebody is there'), others);
  await send(must(first, 'somebody is there'), room, TEXT);
  await fill(world, room.id, stored);
  const database = await clusterOf(world);
  const seen: Seen = { wall: [], server: [], database: [] };
  let count = stored;
  return {
    seen,
    async round(child, dir, isWarmUp) {
      const order = await prepare(people, room, { dir, wsUrl });
      const before = used(world, database);
      const { ms } = await obeyed(child, order);
      const after = used(world, database);
      count += PER_ROUND;
      const [row] = await world.sql`
        select c.last_seq, (select count(*)::int from messages m where m.conversation_id = c.id) as rows from conversations c where c.id = ${room.id}`;
      if (Number(row?.last_seq) !== count || row?.rows !== count)
        throw new Error(`of ${count} messages ${row?.rows} are stored`);
      if (isWarmUp) return;
      seen.wall.push((ms * 1_000) / PER_ROUND);
      seen.server.push((after.server - before.server) / PER_ROUND);
      seen.database.push((after.database - before.database) / PER_ROUND);
    },
    async [Symbol.asyncDispose]() {
      for (const person of people) await person[Symbol.asyncDispose]();
    },
  };
}

const used = ({ pid }: World, database: Cluster) => ({ server: cpuUs(pid), database: database.cpuUs() });

async function prepare(
  people: Person[],
  room: Room,
  { dir, wsUrl }: { dir: string; wsUrl: string },
): Promise<SendOrder> {
  const lines: string[] = [];
  for (let i = 0; i < PER_ROUND; i++) {
    const person = must(people[i % people.length], 'somebody sends');
    const input = { ...(await draft(person, room, TEXT)), messageType: 'text' };
    // As tRPC's clients count: each socket its own.
    const id = Math.floor(i / people.length);
    lines.push(JSON.stringify({ id, method: 'mutation', params: { path: 'messages.send', input } }));
  }
  const file = join(dir, 'frames');
  await writeFile(file, lines.join('\n'));
  return { file, wsUrl, tokens: people.map(({ token }) => token ?? ''), inFlight: IN_FLIGHT };
}

async function obeyed(child: ChildProcess, order: SendOrder): Promise<SendReport> {
  const answer = once(child, 'message');
  child.send(order);
  const [report] = (await answer) as [SendReport];
  if (report.refused > 0) throw new Error(`${report.refused} messages were refused`);
  return report;
}

/** @param world the first of the three */
export async function measureGrowth(world: World): Promise<Figure[]> {
  await using larger = await newWorld();
  await using largest = await newWorld();
  const worlds = [world, larger, largest];
  const dir = await mkdtemp(join(tmpdir(), 'parley-growth-'));
  const child = fork(fileURLToPath(new URL('./ingest/sender.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
  const stocks: Stock[] = [];
  for (const [i, stored] of STORED.entries()) stocks.push(await newStock(must(worlds[i], 'one for each'), stored));
  for (let i = -1; i < ROUNDS; i++) {
    // Whoever goes first goes last in the next round.
    for (const stock of i % 2 ? stocks.toReversed() : stocks) await stock.round(child, dir, i < 0);
  }

  child.kill();
  await rm(dir, { recursive: true });
  for (const stock of stocks) await stock[Symbol.asyncDispose]();

  const few = must(stocks[0], 'the smallest is there').seen;
  return STORED.flatMap((stored, n) => {
    const many = must(stocks[n], 'each size is there').seen;
    if (many === few) return [];
    return (['wall', 'server', 'database'] as const).map((what) => ({
      name: `${NAMES[what]} for each send, ${stored.toLocaleString('en')} stored / 1,000`,
      value: round(medianRatio(many[what], few[what])),
      unit: 'x',
      limit: LIMIT,
      parts: { us: round(median(many[what]), 1), 'us at 1,000': round(median(few[what]), 1) },
    }));
  });
}

const NAMES = { wall: 'time', server: "server's CPU", database: "PostgreSQL's CPU" };
