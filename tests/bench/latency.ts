/** One message from one SDK client to another, beside what it is made of: a raw `ws` round trip and one durable insert. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { uuidv7 } from 'uuidv7';
import WebSocket from 'ws';
import { createChat } from '#client/index';
import { type Figure, median, percentile, round } from './stats.ts';
import type { World } from './world.ts';

const ROUNDS = 7;
const PER_ROUND = 100;
/** What an envelope of a 300-character text weighs in base64. */
const ENVELOPE = randomBytes(711).toString('base64');
/** The machine's monotonic clock in ms: the same for all processes. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

interface Word {
  userId?: string;
  ready?: string;
  opened?: string;
  at?: number;
}

/** The reader's process, and a way to wait for what it says. */
function startReader(url: string) {
  const file = fileURLToPath(new URL('./reader.ts', import.meta.url));
  const child = fork(file, [url, 'bench-bob'], { execArgv: ['--import', 'tsx'] });
  const hear = (fits: (word: Word) => boolean) =>
    new Promise<Word>((resolve, reject) => {
      const end = (finish: () => void) => {
        clearTimeout(timer);
        child.off('message', listen);
        child.off('exit', lost);
        finish();
      };
      const listen = (word: unknown) => fits(word as Word) && end(() => resolve(word as Word));
      const lost = () => end(() => reject(new Error('the reader ended')));
      const timer = setTimeout(() => end(() => reject(new Error('the reader said nothing for 30 s'))), 30_000);
      child.on('message', listen);
      child.on('exit', lost);
    });
  return { child, hear };
}

export async function measureLatency(world: World): Promise<Figure> {
  const socket = new WebSocket(world.echoUrl, { perMessageDeflate: false });
  await once(socket, 'open');
  await world.sql`create table bench_insert (id uuid primary key, conversation_id uuid not null, seq bigint not null,
    sender_id uuid not null, content text not null, created_at timestamptz not null default now())`;
  const reader = startReader(world.url);
  const arrived = reader.hear(({ userId }) => userId !== undefined);
  const ann = createChat({ url: world.url });
  await ann.register({ username: 'bench-ann', email: 'ann@example.org', password: 'ann has a long password' });
  const bobId = (await arrived).userId ?? '';
  const conversationId = await ann.createDirect(bobId);
  await ann.open(conversationId);
  const ready = reader.hear((word) => word.ready === conversationId);
  reader.child.send({ open: conversationId });
  await ready;

  const echo = async () => {
    const answer = once(socket, 'message');
    const began = now();
    socket.send(ENVELOPE);
    await answer;
    return now() - began;
  };
  const insert = async (i: number) => {
    const began = now();
    await world.sql`insert into bench_insert (id, conversation_id, seq, sender_id, content)
      values (${uuidv7()}, ${conversationId}, ${i}, ${bobId}, ${ENVELOPE})`;
    return now() - began;
  };
  const message = async (i: number) => {
    const text = `${i} ${'the quick brown fox jumps over the lazy dog '.repeat(7)}`.slice(0, 300);
    const began = now();
    const id = ann.send(conversationId, { text });
    const { at = 0 } = await reader.hear(({ opened }) => opened === id);
    return at - began;
  };

  const rounds: { echo: number[]; insert: number[]; message: number[]; ratio: number }[] = [];
  for (let i = 0; i <= ROUNDS; i++) {
    const took = { echo: [] as number[], insert: [] as number[], message: [] as number[] };
    // In turns, so that all three meet the same machine.
    for (let n = 0; n < PER_ROUND; n++) {
      took.echo.push(await echo());
      took.insert.push(await insert(n));
      took.message.push(await message(n));
    }
    // The first round warms up.
    if (i > 0) rounds.push({ ...took, ratio: median(took.message) / (median(took.echo) + median(took.insert)) });
  }
  socket.close();
  await ann.close();
  reader.child.send('close');
  await once(reader.child, 'exit');
  const all = (key: 'echo' | 'insert' | 'message') => rounds.flatMap((one) => one[key]);
  return {
    name: 'message, SDK to SDK / (ws round trip + durable insert)',
    value: round(median(rounds.map(({ ratio }) => ratio))),
    unit: 'x',
    limit: 3,
    parts: {
      messageMs: round(median(all('message')), 3),
      messageP99Ms: round(percentile(all('message'), 0.99), 3),
      wsRoundTripMs: round(median(all('echo')), 3),
      insertMs: round(median(all('insert')), 3),
    },
  };
}
