/**
 * Durable, ordered, idempotent sends through the API: one busy conversation, and a hundred. Beside it what PostgreSQL itself can do with
 * the same bytes: batches of bare rows and one counter, through the same driver. And the guide's architecture through its own API.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type postgres from 'postgres';
import { uuidv7 } from 'uuidv7';
import { draft, newGroup, type Room } from '../../harness/people.ts';
import { type Comer, newComer } from '../../harness/registration.ts';
import { type Figure, median, medianRatio, percentile, round } from '../stats.ts';
import type { World } from '../world.ts';
import { startGuideSends } from './guide.ts';
import type { SendOrder, SendReport } from './sender.ts';

const SENDERS = 8;
const IN_FLIGHT = 50;
const ROUNDS = 3;
const PER_ROUND = 16_000;
const CONVERSATIONS = 100;
const BATCH = 200;
/** Characters of the envelope of such a message. */
const CONTENT = 948;
/** Of the guide, which needs as long for them. */
const GUIDE_PER_ROUND = { hot: 1_000, many: 2_000 } as const;
/** What is asked where the bare batches make twice as many. */
const ENOUGH = 20_000;
const AT_LEAST = { hot: 15, many: 8 } as const;
const TEXT = 'the quick brown fox jumps over the lazy dog '.repeat(7).slice(0, 300);

async function prepare(people: Comer[], rooms: Room[], file: string): Promise<void> {
  const lines: string[] = [];
  for (let i = 0; i < PER_ROUND; i++) {
    const [person, room] = [people[i % people.length], rooms[i % rooms.length]];
    if (!person || !room) throw new TypeError('nobody sends');
    // As tRPC's clients count: each socket its own.
    const id = Math.floor(i / people.length);
    const input = { ...(await draft(person, room, TEXT)), messageType: 'text' };
    lines.push(JSON.stringify({ id, method: 'mutation', params: { path: 'messages.send', input } }));
  }
  await writeFile(file, lines.join('\n'));
}

async function send(child: ChildProcess, order: SendOrder): Promise<SendReport> {
  const answer = once(child, 'message');
  child.send(order);
  const [report] = (await answer) as [SendReport];
  if (report.refused > 0) throw new Error(`${report.refused} messages were refused`);
  return report;
}

/** Rows with the same content, a counter that gives their order, one commit for each batch, two batches in flight. */
async function bare(sql: postgres.Sql): Promise<number> {
  await sql`create table if not exists bench_ingest (id uuid primary key, conversation_id uuid not null, seq bigint not null,
    sender_id uuid not null, content text not null, created_at timestamptz not null default now(), unique (conversation_id, seq))`;
  await sql`create table if not exists bench_counter (id uuid primary key, last_seq bigint not null)`;
  const [room, sender, content] = [uuidv7(), uuidv7(), 'x'.repeat(CONTENT)];
  await sql`insert into bench_counter values (${room}, 0)`;
  const batch = () => {
    const rows = Array.from({ length: BATCH }, (_, i) => ({ ord: i + 1, id: uuidv7(), content }));
    return sql`
      with c as (update bench_counter set last_seq = last_seq + ${BATCH} where id = ${room} returning last_seq - ${BATCH} as base)
      insert into bench_ingest (id, conversation_id, seq, sender_id, content)
      select r.id, ${room}, c.base + r.ord, ${sender}, r.content
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as r(ord int, id uuid, content text), c`;
  };
  const began = performance.now();
  let left = PER_ROUND / BATCH;
  const lane = async () => {
    while (left-- > 0) await batch();
  };
  await Promise.all([lane(), lane()]);
  return PER_ROUND / ((performance.now() - began) / 1_000);
}

export async function measureIngest(world: World): Promise<Figure[]> {
  const at = { url: world.url, wsUrl: `${world.url.replace('http', 'ws')}/trpc` };
  const people: Comer[] = [];
  for (let i = 0; i < SENDERS; i++) people.push(await newComer(at, `bench-ingest-${i}`));
  const [first, ...others] = people;
  if (!first) throw new TypeError('nobody is there');
  const rooms: Room[] = [];
  for (let i = 0; i < CONVERSATIONS; i++) rooms.push(await newGroup(first, others, `Room ${i}`));
  const dir = await mkdtemp(join(tmpdir(), 'parley-ingest-'));
  const child = fork(fileURLToPath(new URL('./sender.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
  const tokens = people.map(({ token }) => token ?? '');
  const rates = { hot: [] as number[], many: [] as number[], bare: [] as number[] };
  const guideRates = { hot: [] as number[], many: [] as number[] };
  await using guide = await startGuideSends(world, 'x'.repeat(CONTENT));
  const latencies = { hot: [] as number[], many: [] as number[] };
  for (let i = 0; i <= ROUNDS; i++) {
    for (const kind of ['hot', 'many'] as const) {
      const file = join(dir, kind);
      await prepare(people, kind === 'hot' ? rooms.slice(0, 1) : rooms, file);
      const report = await send(child, { file, wsUrl: at.wsUrl, tokens, inFlight: IN_FLIGHT });
      // The first round warms up.
      if (i === 0) {
        await guide.send(CONVERSATIONS, GUIDE_PER_ROUND.hot);
        continue;
      }
      rates[kind].push(PER_ROUND / (report.ms / 1_000));
      guideRates[kind].push(await guide.send(kind === 'hot' ? 1 : CONVERSATIONS, GUIDE_PER_ROUND[kind]));
      latencies[kind].push(percentile(report.latencies, 0.5), percentile(report.latencies, 0.99));
    }
    const rate = await bare(world.sql);
    if (i > 0) rates.bare.push(rate);
  }
  child.kill();
  await rm(dir, { recursive: true });
  for (const person of people) await person[Symbol.asyncDispose]();
  const enough = median(rates.bare) >= 2 * ENOUGH ? { atLeast: ENOUGH } : {};
  const figures = (kind: 'hot' | 'many', name: string): Figure[] => [
    {
      name,
      value: round(median(rates[kind]), 0),
      unit: '/s',
      ...(kind === 'hot' && enough),
      parts: {
        bareBatchesPerS: round(median(rates.bare), 0),
        p50Ms: round(median(latencies[kind].filter((_, i) => i % 2 === 0))),
        p99Ms: round(median(latencies[kind].filter((_, i) => i % 2 === 1))),
      },
    },
    {
      name: `${name} / the guide`,
      value: round(medianRatio(rates[kind], guideRates[kind]), 1),
      unit: 'x',
      atLeast: AT_LEAST[kind],
      parts: { guidePerS: round(median(guideRates[kind]), 0) },
    },
  ];
  return [
    ...figures('hot', 'sends into one conversation'),
    ...figures('many', `sends into ${CONVERSATIONS} conversations`),
  ];
}
