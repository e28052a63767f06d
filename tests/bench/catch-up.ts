/** Somebody was away for 10,000 messages: from connecting until he has all of them, beside one bare query and one bare `ws`. */
import { must } from '#lib/must';
import { followLive } from '../harness/follow.ts';
import { newGroup, send } from '../harness/people.ts';
import { newComer } from '../harness/registration.ts';
import { startLoad } from './load/load.ts';
import type { Speaking } from './load/protocols.ts';
import { cpuUs } from './process.ts';
import { type Figure, median, medianRatio, round } from './stats.ts';
import { type Place, placeOf, startPeer } from './targets.ts';
import type { World } from './world.ts';

const CONVERSATIONS = 20;
const MISSED = 10_000;
/** Of one conversation in one statement, as a lively one is written. */
const TOGETHER = 50;
const ROUNDS = 9;
const LIMIT = 2;
const TEXT = 'the quick brown fox jumps over the lazy dog '.repeat(7).slice(0, 300);

/** Copies of the first message of each conversation, as sends would have left them. */
async function fill({ sql }: World, conversations: readonly string[]): Promise<void> {
  const each = MISSED / CONVERSATIONS;
  for (let from = 2; from < each + 2; from += TOGETHER)
    for (const id of conversations)
      await sql`
        with more as (
          update conversations set last_seq = last_seq + ${TOGETHER}, version = version + ${TOGETHER}, changed_xid = pg_current_xact_id()
          where id = ${id} returning version
        )
        insert into messages (id, conversation_id, seq, sender_id, content_encrypted, message_type, key_epoch, first_key_epoch, sent_hash, version)
        select gen_random_uuid(), m.conversation_id, n, m.sender_id, m.content_encrypted, m.message_type, 0, 0, m.sent_hash,
          more.version - ${TOGETHER} + n - ${from - 1}
        from messages m, more, generate_series(${from}::int, ${from + TOGETHER - 1}::int) n where m.conversation_id = ${id} and m.seq = 1`;
  await sql`vacuum analyze`;
}

export async function measureCatchUp(world: World): Promise<Figure[]> {
  const at = { url: world.url, wsUrl: `${world.url.replace('http', 'ws')}/trpc` };
  const [sender, reader] = [await newComer(at, 'bench-sender'), await newComer(at, 'bench-away')];
  const conversations: string[] = [];
  for (let i = 0; i < CONVERSATIONS; i++) {
    const room = await newGroup(sender, [reader], `Room ${i}`);
    await send(sender, room, TEXT);
    conversations.push(room.id);
  }
  const feed = await followLive(reader);
  const resumeAt = must(feed.ids.at(-1), 'a live feed has an id');
  feed[Symbol.dispose]();
  await fill(world, conversations);

  const env = { ROWS_DATABASE_URL: world.databaseUrl, ROWS_CONVERSATIONS: conversations.join(',') };
  const rows = await startPeer('rows', { frame: JSON.stringify({ result: { data: { data: {} } } }) }, env);
  const who = [{ token: reader.token ?? '', room: 0, resumeAt }];
  const seen = { ours: [] as number[], bare: [] as number[], oursCpu: [] as number[], bareCpu: [] as number[] };
  const load = { ours: startLoad(), bare: startLoad() };
  const begin = (one: 'ours' | 'bare', place: Place, speaking: Speaking) =>
    load[one].order('begin', { ...speaking, ports: [place.port], who });
  try {
    await begin('ours', placeOf(world), { protocol: 'parley' });
    await begin('bare', rows, { protocol: 'ws' });
    for (let i = 0; i <= ROUNDS; i++)
      for (const [one, { pid }] of [
        ['ours', placeOf(world)],
        ['bare', rows],
      ] as const) {
        const before = cpuUs(pid);
        const { ms, received } = await load[one].order('open', { count: 1 });
        const cpu = cpuUs(pid) - before;
        await load[one].order('leave', null);
        if (one === 'ours' && received !== MISSED) throw new Error(`of ${MISSED} messages ${received} came`);
        // The first round warms up.
        if (i === 0) continue;
        seen[one].push(ms);
        seen[`${one}Cpu`].push(cpu / 1_000);
      }
  } finally {
    for (const one of Object.values(load)) await one.end();
    await rows.stop?.();
    for (const person of [sender, reader]) await person[Symbol.asyncDispose]();
  }
  return [
    {
      name: `back after ${MISSED.toLocaleString('en')} messages in ${CONVERSATIONS} conversations / bare query and ws`,
      value: round(medianRatio(seen.ours, seen.bare)),
      unit: 'x',
      limit: LIMIT,
      parts: {
        ms: round(median(seen.ours), 0),
        'bare ms': round(median(seen.bare), 0),
        'server cpu ms': round(median(seen.oursCpu), 0),
        'bare cpu ms': round(median(seen.bareCpu), 0),
      },
    },
  ];
}
