/** Back after a long time: what was missed is there at once, exactly, whether it was looked at before or not. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { must } from '#lib/must';
import { newServer, type TestServer } from '../harness/server.ts';
import { messagesOf, newChat, sameOn, stored, type TestChat, until } from './people.ts';
import { newWire } from './wire.ts';

let server: TestServer;
let ann: TestChat;
let bob: TestChat;

beforeAll(async () => {
  server = await newServer();
  [ann, bob] = await Promise.all([newChat(server.url), newChat(server.url)]);
});
afterAll(async () => {
  await Promise.all([ann, bob].map((person) => person?.[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

/** More than an open window takes at once (MOST_AT_ONCE in client/feed.ts). */
const FLOOD = 1_050;

it('[P13] [P14] after thousands of changes the state is what a new device fetches, and says how much came', {
  timeout: 60_000,
}, async () => {
  const [open, closed, flooded] = await Promise.all(
    ['Open', 'Closed', 'Flooded'].map((title) => ann.chat.createGroup(title, [bob.id])),
  ).then((ids) => ids as [string, string, string]);
  const all = [open, closed, flooded];
  await using wire = await newWire(server.url);
  await using device = await sameOn(wire.url, bob);
  await until(device.chat, (state) => all.every((id) => state.conversations[id]));
  const early = all.map((id) => ann.chat.send(id, { text: 'early' }));
  await Promise.all(all.map((id, n) => stored(ann.chat, id, must(early[n], 'sent'))));
  await Promise.all([open, flooded].map((id) => device.chat.open(id)));
  wire.down();
  await until(device.chat, ({ connection }) => connection.status !== 'online');

  const sent = [open, closed].map((id) => Array.from({ length: 300 }, (_, n) => ann.chat.send(id, { text: `n${n}` })));
  const flood = Array.from({ length: FLOOD }, (_, n) => ann.chat.send(flooded, { text: `f${n}` }));
  await stored(ann.chat, flooded, must(flood.at(-1), 'sent'));
  for (const [n, id] of [open, closed].entries()) {
    const messages = must(sent[n], 'sent');
    await stored(ann.chat, id, must(messages.at(-1), 'sent'));
    const at = (index: number) => must(messages.at(index), 'sent');
    await Promise.all([
      ...[3, 50, 299].map((index) => ann.chat.edit(id, at(index), `edited ${index}`)),
      ...[7, 120].map((index) => ann.chat.remove(id, at(index))),
      ann.chat.react(id, at(200), '🌊'),
      ann.chat.edit(id, must(early[n], 'sent'), 'early, edited late'),
    ]);
  }
  // Read on another device, in the middle of what this one has not seen.
  bob.chat.markRead(closed, 100);
  await until(bob.chat, (state) => state.conversations[closed]?.myReadSeq === 100);
  await expect
    .poll(
      async () =>
        (
          await server.db.sql`select read_seq from conversation_participants
      where conversation_id = ${closed} and user_id = ${bob.id}`
        )[0]?.read_seq,
    )
    .toBe('100');

  wire.up();
  device.chat.reconnect();
  const { caughtUp } = await until(device.chat, (state) => (state.caughtUp ? state : undefined));
  expect(caughtUp?.messages).toBe(600 + FLOOD);
  await using fresh = await sameOn(server.url, bob);
  const told = (state: ReturnType<typeof device.chat.store.getState>) =>
    all.map((id) => {
      const { lastSeq, unreadCount, lastMessage, lastMessageAt, myReadSeq } = must(state.conversations[id], 'known');
      return { lastSeq, unreadCount, last: lastMessage?.content, lastMessageAt, myReadSeq };
    });
  await expect.poll(() => told(device.chat.store.getState())).toEqual(told(fresh.chat.store.getState()));
  expect(device.chat.store.getState().conversationIds).toEqual(fresh.chat.store.getState().conversationIds);

  // The open window has all of it; the flooded one stays where it was and goes on from there.
  const shown = (chat: typeof fresh.chat, id: string) =>
    messagesOf(chat, id).map(({ seq, content, isEdited, reactions }) => ({
      seq,
      content,
      isEdited,
      reactions: reactions.map(({ emoji, count }) => ({ emoji, count })),
    }));
  await fresh.chat.open(open);
  for (let pages = 0; fresh.chat.store.getState().timelines[open]?.hasOlder && pages < 10; pages++) {
    await fresh.chat.loadOlder(open);
  }
  expect(shown(device.chat, open)).toEqual(shown(fresh.chat, open));
  const window = () => must(device.chat.store.getState().timelines[flooded], 'opened');
  expect(window().hasNewer).toBe(true);
  for (let pages = 0; window().hasNewer && pages < 30; pages++) await device.chat.loadNewer(flooded);
  const bodies = messagesOf(device.chat, flooded).map(({ content }) => (content.kind === 'text' ? content.body : ''));
  expect(bodies).toEqual(['early', ...flood.map((_, n) => `f${n}`)]);
});

it('[P8] a replay that keeps breaking goes on where it was, and nothing is missing', async () => {
  const group = await ann.chat.createGroup('Breaking', [bob.id]);
  await using wire = await newWire(server.url);
  await using device = await sameOn(wire.url, bob);
  await until(device.chat, (state) => state.conversations[group]);
  await device.chat.open(group);
  wire.down();
  await until(device.chat, ({ connection }) => connection.status !== 'online');
  const sent = Array.from({ length: 700 }, (_, n) => ann.chat.send(group, { text: `n${n}` }));
  await stored(ann.chat, group, must(sent.at(-1), 'sent'));
  wire.up();
  for (let cuts = 0; cuts < 3; cuts++) {
    device.chat.reconnect();
    await until(device.chat, ({ connection }) => connection.status === 'online');
    wire.cut();
    await until(device.chat, ({ connection }) => connection.status !== 'online');
  }
  device.chat.reconnect();
  await stored(device.chat, group, must(sent.at(-1), 'sent'));
  expect(messagesOf(device.chat, group).map(({ seq }) => seq)).toEqual(sent.map((_, n) => n + 1));
});
