/** Back after 10,000 messages, 500 edits and 200 deletions in 20 conversations: from the socket to a complete state. */
import { createChat } from '#client/index';
import type { Chat } from '#client/types';
import { must } from '#lib/must';
import { newWire } from '../client/wire.ts';
import { type Figure, median, round } from './stats.ts';
import type { World } from './world.ts';

const ROUNDS = 3;
const CONVERSATIONS = 20;
const MESSAGES = 10_000;
const EDITS = 500;
const DELETIONS = 200;
/** Conversations that the reader has on the screen, or had: their messages are opened, all others only count. All, in the last round. */
const OPENED = 5;
const TEXT = 'the quick brown fox jumps over the lazy dog '.repeat(3);

const until = (chat: Chat, holds: () => unknown) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('not complete after two minutes')), 120_000);
    const look = () => {
      if (!holds()) return;
      clearTimeout(timer);
      stop();
      resolve();
    };
    const stop = chat.store.subscribe(look);
    look();
  });

async function newPerson(url: string, username: string): Promise<Chat> {
  const chat = createChat({ url });
  await chat.register({ username, email: `${username}@example.org`, password: `${username} has a long password` });
  return chat;
}

const idOf = (chat: Chat) => {
  const { session } = chat.store.getState();
  return session.status === 'signed-in' ? session.me.id : '';
};

/** Everything that happens while the reader is away. */
async function write(writer: Chat, conversations: string[]): Promise<void> {
  const each = MESSAGES / CONVERSATIONS;
  const sent = conversations.map((id) => Array.from({ length: each }, () => writer.send(id, { text: TEXT })));
  const lastOf = (id: string) => writer.store.getState().timelines[id];
  await until(writer, () => conversations.every((id) => lastOf(id)?.pending.length === 0));
  const of = (n: number) => {
    const conversation = n % CONVERSATIONS;
    const id = must(conversations[conversation], 'one of them');
    // Spread over the whole length.
    const message = must(sent[conversation]?.[Math.floor((n / CONVERSATIONS) * 14) % each], 'one of its messages');
    return [id, message] as const;
  };
  const numbers = Array.from({ length: EDITS + DELETIONS }, (_, n) => of(n));
  await Promise.all(
    numbers.map(([id, message], n) =>
      n < EDITS ? writer.edit(id, message, `edited ${n}`) : writer.remove(id, message),
    ),
  );
}

export async function measureResume(world: World): Promise<Figure> {
  await using wire = await newWire(world.url);
  const [writer, reader] = await Promise.all([newPerson(world.url, 'writer'), newPerson(wire.url, 'reader')]);
  const conversations: string[] = [];
  for (let n = 0; n < CONVERSATIONS; n++) conversations.push(await writer.createGroup(`Group ${n}`, [idOf(reader)]));
  const state = () => reader.store.getState();
  await until(reader, () => conversations.every((id) => state().conversations[id]));
  const took: number[] = [];
  const nothing: number[] = [];
  const comeBack = async () => {
    const before = state().caughtUp;
    const began = performance.now();
    wire.up();
    reader.reconnect();
    await until(reader, () => state().caughtUp !== before);
    return performance.now() - began;
  };
  const leave = async () => {
    wire.down();
    await until(reader, () => state().connection.status !== 'online');
  };
  for (let i = 1; i <= ROUNDS; i++) {
    for (const id of conversations.slice(0, i < ROUNDS ? OPENED : CONVERSATIONS)) await reader.open(id);
    await leave();
    await write(writer, conversations);
    took.push(await comeBack());
    const complete = conversations.every((id) => state().conversations[id]?.lastSeq === (i * MESSAGES) / CONVERSATIONS);
    if (!complete) throw new Error('the reader is not complete');
    await leave();
    nothing.push(await comeBack());
  }
  await Promise.all([writer.close(), reader.close()]);
  return {
    name: 'resume: 10,000 messages, 500 edits, 200 deletions in 20',
    value: round(median(took.slice(0, -1))),
    unit: 'ms',
    limit: 3_000,
    parts: { allOpenMs: round(took.at(-1) ?? 0), nothingMissedMs: round(median(nothing)) },
  };
}
