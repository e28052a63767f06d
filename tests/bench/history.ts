/** Pages of long conversations, newest and deep, beside the newest page of a short one, through the API. */
import { createChat } from '#client/index';
import type { Chat } from '#client/types';
import { must } from '#lib/must';
import { type Figure, median, medianRatio, round, timed } from './stats.ts';
import { fill } from './stored.ts';
import type { World } from './world.ts';

const ROUNDS = 7;
const PER_ROUND = 40;
const PAGE = 50;
const TEXT = 'the quick brown fox jumps over the lazy dog '.repeat(7).slice(0, 300);
const SHORT = 1_000;
const LONG = [
  { count: 100_000, deepPage: 1_900 },
  { count: 1_000_000, deepPage: 19_000 },
] as const;

type Read = () => Promise<unknown>;

async function newConversation(world: World, chat: Chat, title: string, count: number): Promise<string> {
  const id = await chat.createGroup(title, []);
  const messageId = chat.send(id, { text: TEXT });
  while (chat.store.getState().timelines[id]?.byId.get(messageId)?.seq == null)
    await new Promise((resolve) => setTimeout(resolve, 20));
  await fill(world, id, count);
  return id;
}

/** A cursor is opaque: the server makes it, for the page around a message at the end of the one before. */
async function cursorOf(world: World, chat: Chat, id: string, seq: number): Promise<string> {
  const [message] = await world.sql<{ id: string }[]>`
    select id from messages where conversation_id = ${id} and seq = ${seq}`;
  const around = must(message, 'seqs have no holes').id;
  const page = await chat.api.messages.list.query({ conversationId: id, around, limit: 1 });
  return must(page.nextCursor, 'there are older ones');
}

export async function measureHistory(world: World): Promise<Figure[]> {
  const chat = createChat({ url: world.url });
  await chat.register({ username: 'bench-cyd', email: 'cyd@example.org', password: 'cyd has a long password too' });
  const newest = (conversationId: string) => () => chat.api.messages.list.query({ conversationId, limit: PAGE });
  const short = newest(await newConversation(world, chat, 'short', SHORT));
  const reads: { name: string; read: Read }[] = [];
  for (const { count, deepPage } of LONG) {
    const id = await newConversation(world, chat, `${count}`, count);
    const from = count - (deepPage - 1) * PAGE;
    const cursor = await cursorOf(world, chat, id, from + 1);
    const deep = () => chat.api.messages.list.query({ conversationId: id, cursor, limit: PAGE });
    const { messages } = await deep();
    if (messages.length !== PAGE || messages[0]?.seq !== from) throw new Error(`that is not page ${deepPage}`);
    const [of, page] = [count.toLocaleString('en'), deepPage.toLocaleString('en')];
    reads.push({ name: `newest page of ${of} messages`, read: newest(id) });
    reads.push({ name: `page ${page} of ${of} messages`, read: deep });
  }

  const all = [short, ...reads.map(({ read }) => read)];
  const took: number[][] = all.map(() => []);
  for (const read of all) await timed(PER_ROUND, read);
  for (let i = 0; i < ROUNDS; i++)
    for (const [n, read] of all.entries()) took[n]?.push(median(await timed(PER_ROUND, read)));
  await chat.close();
  const [ofShort = [], ...others] = took;
  return reads.map(({ name }, n) => ({
    name: `${name} / newest of ${SHORT.toLocaleString('en')}`,
    value: round(medianRatio(others[n] ?? [], ofShort)),
    unit: 'x',
    limit: 1.5,
    parts: { p50Ms: round(median(others[n] ?? []), 3), shortMs: round(median(ofShort), 3) },
  }));
}
