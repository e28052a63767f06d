/** One message from one SDK client to another, beside what it is made of: a raw `ws` round trip and one durable insert. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { uuidv7 } from 'uuidv7';
import WebSocket from 'ws';
import { type Chat, createChat } from '#client/index';
import { type Figure, median, percentile, round, timed } from './stats.ts';
import type { World } from './world.ts';

const ROUNDS = 7;
const PER_ROUND = 60;
/** What an envelope of a 300-character text weighs in base64. */
const ENVELOPE = randomBytes(711).toString('base64');

async function person(world: World, name: string): Promise<Chat> {
  const chat = createChat({ url: world.url });
  await chat.register({ username: name, email: `${name}@example.org`, password: `${name} has a long password` });
  return chat;
}

/** Resolves when `reader` holds the message opened, not merely received. */
function opened(reader: Chat, conversationId: string, messageId: string): Promise<void> {
  const there = () => {
    const state = reader.store.getState();
    const timeline = state.timelines[conversationId]?.byId[messageId];
    return timeline !== undefined && timeline.seq !== null && timeline.content.kind === 'text';
  };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(() => reject(new Error('a message did not arrive within 10 s'))), 10_000);
    const finish = (end: () => void) => {
      clearTimeout(timer);
      unsubscribe();
      end();
    };
    const unsubscribe = reader.store.subscribe(() => there() && finish(resolve));
    if (there()) finish(resolve);
  });
}

export async function measureLatency(world: World): Promise<Figure> {
  const socket = new WebSocket(world.echoUrl, { perMessageDeflate: false });
  await once(socket, 'open');
  await world.sql`create table if not exists bench_insert (id uuid primary key, conversation_id uuid not null, seq bigint not null,
    sender_id uuid not null, content text not null, created_at timestamptz not null default now())`;
  const [ann, bob] = await Promise.all([person(world, 'bench-ann'), person(world, 'bench-bob')]);
  const me = bob.store.getState().session;
  if (me.status !== 'signed-in') throw new Error('registration did not sign in');
  const conversationId = await ann.createDirect(me.me.id);
  await ann.open(conversationId);
  while (!bob.store.getState().conversations[conversationId]) await new Promise((resolve) => setTimeout(resolve, 20));
  await bob.open(conversationId);

  const echo = async () => {
    const answer = once(socket, 'message');
    socket.send(ENVELOPE);
    await answer;
  };
  const insert = (i: number) => world.sql`
    insert into bench_insert (id, conversation_id, seq, sender_id, content)
    values (${uuidv7()}, ${conversationId}, ${i}, ${me.me.id}, ${ENVELOPE})`;
  const message = async (i: number) => {
    const text = `${i} ${'the quick brown fox jumps over the lazy dog '.repeat(7)}`.slice(0, 300);
    await opened(bob, conversationId, ann.send(conversationId, { text }));
  };

  for (const warmUp of [echo, insert, message]) await timed(PER_ROUND, warmUp as (i: number) => Promise<unknown>);
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) {
    const [a, b, c] = [await timed(PER_ROUND, echo), await timed(PER_ROUND, insert), await timed(PER_ROUND, message)];
    rounds.push({ echo: median(a), insert: median(b), message: median(c), p99: percentile(c, 0.99) });
  }
  socket.close();
  await Promise.all([ann.close(), bob.close()]);
  const of = (key: 'echo' | 'insert' | 'message' | 'p99') => round(median(rounds.map((one) => one[key])), 3);
  return {
    name: 'message, SDK to SDK / (ws round trip + durable insert)',
    value: round(median(rounds.map((one) => one.message / (one.echo + one.insert)))),
    unit: 'x',
    limit: 3,
    parts: { messageMs: of('message'), messageP99Ms: of('p99'), wsRoundTripMs: of('echo'), insertMs: of('insert') },
  };
}
