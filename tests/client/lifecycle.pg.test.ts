import { afterAll, beforeAll, expect, it } from 'vitest';
import { createChat, memoryStorage } from '#client/index';
import { newServer, type TestServer } from '../harness/server.ts';
import { newWire } from './wire.ts';
import { messagesOf, newChat, sameOn, stored, type TestChat, textsOf, until } from './people.ts';

let server: TestServer;
let ann: TestChat;
let bob: TestChat;
let id: string;

beforeAll(async () => {
  server = await newServer();
  [ann, bob] = await Promise.all([newChat(server.url), newChat(server.url)]);
  id = await ann.chat.createDirect(bob.id);
  await until(bob.chat, (state) => state.conversations[id]);
  await Promise.all([ann.chat.open(id), bob.chat.open(id)]);
});
afterAll(async () => {
  await Promise.all([ann, bob].map((person) => person?.[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

it('[P6] a burst from both sides is in one order for all, without a hole', async () => {
  const mine = Array.from({ length: 40 }, (_, n) => ann.chat.send(id, { text: `ann ${n}` }));
  const theirs = Array.from({ length: 40 }, (_, n) => bob.chat.send(id, { text: `bob ${n}` }));
  for (const { chat } of [ann, bob]) {
    await Promise.all([...mine, ...theirs].map((message) => stored(chat, id, message)));
  }
  expect(textsOf(ann.chat, id)).toEqual(textsOf(bob.chat, id));
  const seqs = messagesOf(bob.chat, id).map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.map((_, i) => i + 1));
  const order = textsOf(bob.chat, id).filter((text) => text.startsWith('ann'));
  expect(order).toEqual(order.map((_, n) => `ann ${n}`));
});

it('[P7] while the server is away messages wait, and go out once and in order when it is back', async () => {
  const before = messagesOf(bob.chat, id).length;
  const restarting = server.restart();
  const sent = ['one', 'two', 'three'].map((text) => ann.chat.send(id, { text }));
  await restarting;
  for (const { chat } of [ann, bob]) await Promise.all(sent.map((message) => stored(chat, id, message)));
  expect(textsOf(bob.chat, id).slice(before)).toEqual(['one', 'two', 'three']);
  expect(messagesOf(bob.chat, id)).toHaveLength(before + 3);
  await until(bob.chat, (state) => state.connection.status === 'online');
});

it('[P8] whoever was cut off gets what was missed: new, edited, deleted, reacted to', async () => {
  await using wire = await newWire(server.url);
  await using device = await sameOn(wire.url, bob);
  await device.chat.open(id);
  const kept = ann.chat.send(id, { text: 'to be edited' });
  const gone = ann.chat.send(id, { text: 'to be deleted' });
  await Promise.all([kept, gone].map((message) => stored(device.chat, id, message)));
  await Promise.all([kept, gone].map((message) => stored(ann.chat, id, message)));
  wire.down();
  await until(device.chat, (state) => state.connection.status !== 'online');
  await ann.chat.edit(id, kept, 'edited');
  await ann.chat.remove(id, gone);
  await ann.chat.react(id, kept, '🎉');
  const fresh = ann.chat.send(id, { text: 'while you were away' });
  const waiting = device.chat.send(id, { text: 'written offline' });
  await stored(ann.chat, id, fresh);
  wire.up();
  await Promise.all([fresh, waiting].map((message) => stored(device.chat, id, message)));
  await stored(ann.chat, id, waiting);
  await until(device.chat, (state) => {
    const timeline = state.timelines[id];
    const [first, second] = [timeline?.byId.get(kept), timeline?.byId.get(gone)];
    return first?.isEdited && first.reactions[0]?.emoji === '🎉' && second?.content.kind === 'deleted';
  });
  const texts = textsOf(device.chat, id);
  expect(texts).toEqual(textsOf(ann.chat, id).slice(-texts.length));
});

it('[P3] messages sent over a wire that keeps breaking are there once each, in order', async () => {
  await using wire = await newWire(server.url);
  await using device = await sameOn(wire.url, ann);
  const group = await device.chat.createGroup('Broken wire', [bob.id]);
  await device.chat.open(group);
  const cutting = setInterval(() => wire.cut(), 150);
  const sent = Array.from({ length: 60 }, (_, n) => device.chat.send(group, { text: `n${n}` }));
  try {
    await Promise.all(sent.map((message) => stored(device.chat, group, message)));
  } finally {
    clearInterval(cutting);
  }
  await until(bob.chat, (state) => state.conversations[group]?.lastSeq === sent.length);
  await bob.chat.open(group);
  await bob.chat.loadOlder(group);
  expect(textsOf(bob.chat, group)).toEqual(sent.map((_, n) => `n${n}`));
});

it('[P20] what was written offline goes out after the page was closed and opened again', async () => {
  const storage = memoryStorage();
  const password = 'a long password of carol';
  await using wire = await newWire(server.url);
  const carol = createChat({ url: wire.url, storage });
  await carol.register({ username: 'carol', email: 'carol@example.org', password });
  const other = await carol.createDirect(bob.id);
  await carol.open(other);
  await until(bob.chat, (state) => state.conversations[other]);
  await bob.chat.open(other);
  await stored(carol, other, carol.send(other, { text: 'first' }));
  wire.down();
  await until(carol, (state) => state.connection.status !== 'online');
  const waiting = ['second', 'third'].map((text) => carol.send(other, { text }));
  await expect.poll(async () => (await storage.entries('outbox')).length).toBe(2);
  await carol.close();
  wire.up();
  const again = createChat({ url: wire.url, storage });
  await again.login({ login: 'carol', password });
  await Promise.all(waiting.map((message) => stored(bob.chat, other, message)));
  expect(textsOf(bob.chat, other)).toEqual(['first', 'second', 'third']);
  await expect.poll(async () => (await storage.entries('outbox')).length).toBe(0);
  await again.close();
});

it('[P29] what a device keeps is sealed', async () => {
  const storage = memoryStorage();
  const chat = createChat({ url: server.url, storage });
  await chat.register({ username: 'dora', email: 'dora@example.org', password: 'a long password of dora' });
  const other = await chat.createDirect(bob.id);
  chat.send(other, { text: 'plainly readable' });
  const kept = async () => [...(await storage.entries('outbox')), ...(await storage.entries('sealed'))];
  await expect.poll(async () => (await kept()).length).toBeGreaterThan(2);
  for (const [, value] of await kept()) {
    expect(value).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(value as Uint8Array).toString('latin1')).not.toContain('readable');
  }
  await chat.logout();
  expect(await kept()).toEqual([]);
  expect(chat.store.getState()).toMatchObject({
    session: { status: 'signed-out', reason: 'logged-out' },
    timelines: {},
  });
});

it('[P23] a session revoked elsewhere ends here, with everything it held', async () => {
  await using device = await sameOn(server.url, ann);
  const sessions = await device.chat.api.auth.sessions.query();
  const other = sessions.find(({ current }) => current);
  await ann.chat.api.auth.revokeSession.mutate({ sessionId: other?.id ?? '' });
  await until(device.chat, (state) => state.session.status === 'signed-out' && state.session.reason === 'revoked');
  expect(device.chat.store.getState().conversationIds).toEqual([]);
});

it('[P7] [P23] a token that ended during a sleep is renewed on the way back, without knocking twice', async () => {
  let asleep = 0;
  await using other = await newServer({ now: () => Date.now() + asleep });
  await using wire = await newWire(other.url);
  await using device = await newChat(wire.url);
  const self = await device.chat.createGroup('Notes', []);
  await stored(device.chat, self, device.chat.send(self, { text: 'good night' }));
  wire.down();
  await until(device.chat, (state) => state.connection.status !== 'online');
  // The server's clock goes on; that of this device has stood still, so it takes its token for good.
  asleep = 6 * 60 * 60_000;
  wire.up();
  device.chat.reconnect();
  await stored(device.chat, self, device.chat.send(self, { text: 'good morning' }));
  const closed = await (await fetch(`${other.url}/metrics`)).text();
  expect(Number(/closed\w*\{code="4401"\} (\d+)/.exec(closed)?.[1] ?? 0)).toBeLessThanOrEqual(1);
  expect(device.chat.store.getState().session.status).toBe('signed-in');
});

it('a wrong password is a wrong password', async () => {
  const chat = createChat({ url: server.url });
  const attempt = chat.login({ login: ann.username, password: 'not it' });
  await expect(attempt).rejects.toMatchObject({
    name: 'SdkError',
    code: 'UNAUTHORIZED',
    reason: 'invalid_credentials',
  });
  await chat.close();
});

it('older pages come 50 at a time, and a jump opens the past around a message', async () => {
  const group = await ann.chat.createGroup('Long', [bob.id]);
  const sent = Array.from({ length: 130 }, (_, n) => ann.chat.send(group, { text: `n${n}` }));
  await stored(ann.chat, group, sent[129] ?? '');
  await using device = await sameOn(server.url, ann);
  const { chat } = device;
  await chat.open(group);
  expect(messagesOf(chat, group)).toHaveLength(50);
  await chat.loadOlder(group);
  await chat.loadOlder(group);
  expect(textsOf(chat, group)).toEqual(sent.map((_, n) => `n${n}`));
  expect(chat.store.getState().timelines[group]?.hasOlder).toBe(false);
  await using second = await sameOn(server.url, ann);
  await second.chat.open(group);
  await second.chat.jumpTo(group, sent[10] ?? '');
  expect(second.chat.store.getState().timelines[group]).toMatchObject({ hasNewer: true });
  const late = ann.chat.send(group, { text: 'while away' });
  await until(second.chat, (state) => state.conversations[group]?.lastMessage?.id === late);
  expect(textsOf(second.chat, group)).not.toContain('while away');
  for (let pages = 0; second.chat.store.getState().timelines[group]?.hasNewer && pages < 10; pages++) {
    await second.chat.loadNewer(group);
  }
  expect(textsOf(second.chat, group).at(-1)).toBe('while away');
});
