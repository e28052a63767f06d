/** What the SDK promises as a whole: its state is the server's, its history needs nobody, and the server has only sealed bytes. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Chat } from '#client/types';
import { dump, findIn } from '../e2e/plaintext.ts';
import { newServer, type TestServer } from '../harness/server.ts';
import { messagesOf, newChat, sameOn, stored, type TestChat, textsOf, until } from './people.ts';

let server: TestServer;
let ann: TestChat;
let bob: TestChat;
let cyd: TestChat;
let group: string;
let direct: string;
const written: string[] = [];

/** Remembers what was written, to look for it later. */
const words = (text: string) => {
  written.push(text);
  return text;
};

beforeAll(async () => {
  server = await newServer();
  [ann, bob, cyd] = await Promise.all([newChat(server.url), newChat(server.url), newChat(server.url)]);
  group = await ann.chat.createGroup(words('A title nobody else should read'), [bob.id, cyd.id]);
  direct = await ann.chat.createDirect(bob.id);
  await Promise.all([bob, cyd].map(({ chat }) => until(chat, (state) => state.conversations[group])));
  await Promise.all([ann, bob, cyd].map(({ chat }) => chat.open(group)));
  await Promise.all([ann, bob].map(({ chat }) => chat.open(direct)));
});
afterAll(async () => {
  await Promise.all([ann, bob, cyd].map((person) => person?.[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

/** Everything a screen shows of one conversation. */
function shown(chat: Chat, id: string) {
  const conversation = chat.store.getState().conversations[id];
  if (!conversation) return null;
  const { title, settings, lastSeq, lastMessageAt, unreadCount, keyEpoch, myRole, myReadSeq, rekeyRequired } =
    conversation;
  return {
    own: [title, settings, lastSeq, lastMessageAt, unreadCount, keyEpoch, myRole, myReadSeq, rekeyRequired],
    last: conversation.lastMessage?.content,
    people: conversation.participants.map(({ user, role }) => [user.id, user.displayName, role]).sort(),
    messages: messagesOf(chat, id).map(({ id: messageId, seq, content, reactions, isEdited, isDeleted }) => ({
      own: [messageId, seq, content, isEdited, isDeleted],
      reactions: reactions.map(({ emoji, count, mine }) => ({ emoji, count, mine })),
    })),
  };
}

/** The state that grew from events, beside one that was fetched this moment by the same person on a new device. */
async function expectFresh(person: TestChat): Promise<void> {
  await using device = await sameOn(server.url, person);
  for (const id of [group, direct]) {
    if (device.chat.store.getState().conversations[id]) await device.chat.open(id);
    await expect.poll(() => shown(person.chat, id)).toEqual(shown(device.chat, id));
  }
}

it('[P13] after everything that can be done, what grew from events is what a new device fetches', {
  timeout: 90_000,
}, async () => {
  const kept = ann.chat.send(group, { text: words('the first thing ever said here') });
  const gone = bob.chat.send(group, { text: words('something to be taken back') });
  const answer = cyd.chat.send(group, {
    text: words('an answer to the first'),
    replyTo: kept,
  });
  for (const { chat } of [ann, bob, cyd]) await Promise.all([kept, gone, answer].map((id) => stored(chat, group, id)));
  const acts: (() => Promise<unknown>)[] = [
    () => ann.chat.edit(group, kept, words('the first thing, said better')),
    () => bob.chat.react(group, kept, words('🦑🦑🦑')),
    () => cyd.chat.react(group, kept, '🎉'),
    () => bob.chat.remove(group, gone),
    () => ann.chat.rename(group, words('Another title, just as private')),
    () => ann.chat.setRole(group, bob.id, 'moderator'),
    () => bob.chat.updateMe({ displayName: 'Bob the second' }),
    () => stored(ann.chat, direct, bob.chat.send(direct, { text: words('only between the two of us') })),
    async () => ann.chat.markRead(group, 3),
    () => ann.chat.removeParticipant(group, cyd.id),
    () => stored(ann.chat, group, bob.chat.send(group, { text: words('said after she was gone') })),
  ];
  for (const act of acts) {
    await act();
    await expectFresh(bob);
  }
  await expectFresh(ann);
  await expectFresh(cyd);
  expect(shown(cyd.chat, group)).toBeNull();
});

it('[P6] two readers and the history agree on one order, whoever wrote at the same time', async () => {
  const texts = Array.from({ length: 20 }, (_, n) => n);
  const sent = texts.flatMap((n) => [
    ann.chat.send(direct, { text: words(`from the one side, number ${n}`) }),
    bob.chat.send(direct, { text: words(`from the other side, number ${n}`) }),
  ]);
  for (const { chat } of [ann, bob]) await Promise.all(sent.map((id) => stored(chat, direct, id)));
  const history = await ann.chat.api.messages.list.query({ conversationId: direct, limit: 100 });
  const order = history.messages.map(({ id }) => id).reverse();
  for (const { chat } of [ann, bob]) expect(messagesOf(chat, direct).map(({ id }) => id)).toEqual(order);
  expect(history.messages.map(({ seq }) => seq).reverse()).toEqual(order.map((_, i) => i + 1));
});

it('[P31] with the password alone, and everybody else offline, the whole history is read', async () => {
  const before = [group, direct].map((id) => textsOf(bob.chat, id));
  await Promise.all([ann, bob, cyd].map(({ chat }) => chat.close()));
  await expect
    .poll(
      async () =>
        server.deps.presence.get([ann.id, bob.id, cyd.id]).then((now) => [...now.values()].map(({ status }) => status)),
      { timeout: 10_000 },
    )
    .toEqual(['offline', 'offline', 'offline']);
  await using device = await sameOn(server.url, bob);
  await Promise.all([group, direct].map((id) => device.chat.open(id)));
  expect([group, direct].map((id) => textsOf(device.chat, id))).toEqual(before);
  expect(device.chat.store.getState().conversations[group]?.title).toBe('Another title, just as private');
  expect(before.flat()).not.toContain('<unreadable>');
});

it('[P29] nothing that was written stands in any table, any file, or any line of the log', async () => {
  expect(written.length).toBeGreaterThan(45);
  const rows = await dump(server.db.sql);
  expect(rows).toContain(ann.username);
  expect(findIn(rows, written)).toEqual([]);
  const secrets = [ann, bob, cyd].flatMap(({ password, recoveryKey }) => [password, recoveryKey]);
  expect(findIn(rows, secrets)).toEqual([]);
  const { dataDir } = server.deps.env;
  const names = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(0);
  for (const entry of files)
    expect(findIn(await readFile(join(entry.parentPath, entry.name), 'latin1'), [...written, ...secrets])).toEqual([]);
  expect(findIn(server.logs.join('\n'), [...written, ...secrets])).toEqual([]);
});
