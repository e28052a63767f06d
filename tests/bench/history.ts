/** The newest page of a long conversation beside that of a short one, through the API. */
import { createChat } from '#client/index';
import { type Figure, median, round, timed } from './stats.ts';
import type { World } from './world.ts';

const ROUNDS = 7;
const PER_ROUND = 40;
const LONG = 100_000;
const SHORT = 100;

/** Copies one real message until the conversation has `count`: pages do not depend on what the envelopes say. */
async function fill(world: World, conversationId: string, count: number): Promise<void> {
  await world.sql`
    insert into messages (id, conversation_id, seq, sender_id, content_encrypted, message_type, key_epoch, first_key_epoch, sent_hash, version, created_at)
    select gen_random_uuid(), m.conversation_id, n, m.sender_id, m.content_encrypted, m.message_type, 0, 0, m.sent_hash, m.version + n, m.created_at + n * interval '1 second'
    from messages m cross join generate_series(2, ${count}::int) n where m.conversation_id = ${conversationId} and m.seq = 1`;
  await world.sql`update conversations set last_seq = ${count}, version = version + ${count} where id = ${conversationId}`;
}

export async function measureHistory(world: World): Promise<Figure[]> {
  const chat = createChat({ url: world.url });
  await chat.register({ username: 'bench-cyd', email: 'cyd@example.org', password: 'cyd has a long password too' });
  const ids: string[] = [];
  for (const [title, count] of [
    ['short', SHORT],
    ['long', LONG],
  ] as const) {
    const id = await chat.createGroup(title, []);
    const messageId = chat.send(id, { text: 'the quick brown fox jumps over the lazy dog '.repeat(7).slice(0, 300) });
    while (chat.store.getState().timelines[id]?.byId.get(messageId)?.seq == null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await fill(world, id, count);
    ids.push(id);
  }
  await world.sql`vacuum analyze messages`;
  const [short = '', long = ''] = ids;
  const newest = (conversationId: string) => () => chat.api.messages.list.query({ conversationId });
  const { nextCursor } = await chat.api.messages.list.query({ conversationId: long });
  // A cursor into the middle: an opaque one, made by the server, for the message there.
  const [middle] = await world.sql`select id from messages where conversation_id = ${long} and seq = ${LONG / 2}`;
  const page = await chat.api.messages.list.query({ conversationId: long, around: middle?.id as string });
  const deep = () => chat.api.messages.list.query({ conversationId: long, cursor: page.nextCursor });
  if (!nextCursor) throw new Error('the long conversation has no second page');

  for (const warmUp of [newest(short), newest(long), deep]) await timed(PER_ROUND, warmUp);
  const rounds: { short: number; long: number; deep: number }[] = [];
  for (let i = 0; i < ROUNDS; i++)
    rounds.push({
      short: median(await timed(PER_ROUND, newest(short))),
      long: median(await timed(PER_ROUND, newest(long))),
      deep: median(await timed(PER_ROUND, deep)),
    });
  await chat.close();
  const of = (key: 'short' | 'long' | 'deep') => round(median(rounds.map((one) => one[key])), 3);
  const parts = { shortMs: of('short'), longMs: of('long'), deepMs: of('deep') };
  return [
    {
      name: 'newest page of 100,000 / of 100 messages',
      value: round(median(rounds.map((r) => r.long / r.short))),
      unit: 'x',
      limit: 2,
      parts,
    },
    {
      name: 'page in the middle of 100,000 / newest of 100',
      value: round(median(rounds.map((r) => r.deep / r.short))),
      unit: 'x',
      limit: 2,
      parts,
    },
  ];
}
