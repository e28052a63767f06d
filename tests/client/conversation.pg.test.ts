import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FOR_EVER, isMuted, selectTick, selectUnreadTotal } from '#client/select';
import { must } from '#lib/must';
import { newServer, type TestServer } from '../harness/server.ts';
import { messagesOf, newChat, sameOn, stored, type TestChat, textsOf, until } from './people.ts';

let server: TestServer;
let ann: TestChat;
let bob: TestChat;
let carol: TestChat;

beforeAll(async () => {
  server = await newServer();
  [ann, bob, carol] = await Promise.all([newChat(server.url), newChat(server.url), newChat(server.url)]);
});
afterAll(async () => {
  await Promise.all([ann, bob, carol].map((person) => person?.[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

async function direct(a: TestChat, b: TestChat): Promise<string> {
  const id = await a.chat.createDirect(b.id);
  await until(b.chat, (state) => state.conversations[id]);
  await Promise.all([a.chat.open(id), b.chat.open(id)]);
  return id;
}

it('[P29] two people talk both ways; the server has only sealed bytes', async () => {
  const id = await direct(ann, bob);
  const first = ann.chat.send(id, { text: 'a perfectly visible secret' });
  await stored(bob.chat, id, first);
  const second = bob.chat.send(id, { text: 'an answer', replyTo: first });
  await Promise.all([ann, bob].map(({ chat }) => stored(chat, id, second)));
  expect(textsOf(ann.chat, id)).toEqual(['a perfectly visible secret', 'an answer']);
  expect(textsOf(bob.chat, id)).toEqual(textsOf(ann.chat, id));
  expect(messagesOf(ann.chat, id)[1]?.content).toMatchObject({ replyTo: first });
  const rows = await server.db.sql`select content_encrypted from messages`;
  expect(rows).toHaveLength(2);
  for (const row of rows) {
    const bytes = Buffer.from(String(row.content_encrypted), 'base64').toString('latin1');
    expect(bytes).not.toContain('visible');
  }
});

it('[P3] a conversation with the same person is the same conversation', async () => {
  const id = await ann.chat.createDirect(bob.id);
  expect(await bob.chat.createDirect(ann.id)).toBe(id);
});

it('[P14] ticks: sent, delivered without anybody doing anything, read when shown; unread counts are exact', async () => {
  const id = await ann.chat.createDirect(carol.id);
  await ann.chat.open(id);
  const sent = [1, 2, 3].map((n) => ann.chat.send(id, { text: `number ${n}` }));
  const last = must(sent[2], 'three were sent');
  await until(ann.chat, (state) => selectTick(id, last)(state) === 'delivered');
  await until(carol.chat, (state) => state.conversations[id]?.unreadCount === 3);
  carol.chat.markRead(id, 2);
  await until(carol.chat, (state) => state.conversations[id]?.unreadCount === 1);
  await until(ann.chat, (state) => selectTick(id, must(sent[1], 'sent'))(state) === 'read');
  expect(selectTick(id, last)(ann.chat.store.getState())).toBe('delivered');
  carol.chat.markRead(id, 3);
  await until(carol.chat, (state) => state.conversations[id]?.unreadCount === 0);
  await until(ann.chat, (state) => selectTick(id, last)(state) === 'read');
});

it('[P12] edits, reactions and deletes arrive, and only the author may edit', async () => {
  const id = await direct(ann, bob);
  const message = ann.chat.send(id, { text: 'draft' });
  await stored(bob.chat, id, message);
  await ann.chat.edit(id, message, 'final');
  await until(bob.chat, (state) => {
    const content = state.timelines[id]?.byId.get(message)?.content;
    return content?.kind === 'text' && content.body === 'final';
  });
  await expect(bob.chat.edit(id, message, 'not mine')).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await bob.chat.react(id, message, '👍');
  const [reaction] = await until(ann.chat, (state) => {
    const { reactions } = state.timelines[id]?.byId.get(message) ?? {};
    return reactions && reactions.length > 0 ? reactions : undefined;
  });
  expect(reaction).toMatchObject({ emoji: '👍', count: 1, mine: false, userIds: [bob.id] });
  await ann.chat.react(id, message, '👍');
  await until(bob.chat, (state) => state.timelines[id]?.byId.get(message)?.reactions[0]?.count === 2);
  await bob.chat.unreact(id, message, must(reaction, 'one').tag);
  await until(ann.chat, (state) => state.timelines[id]?.byId.get(message)?.reactions[0]?.count === 1);
  await ann.chat.remove(id, message);
  await until(bob.chat, (state) => state.timelines[id]?.byId.get(message)?.content.kind === 'deleted');
});

it('typing is seen, and ends by itself', async () => {
  const id = await direct(ann, bob);
  ann.chat.typing(id, true);
  await new Promise<void>((resolve) => {
    const stop = bob.chat.signals.subscribe(({ typing }) => {
      if (typing[id]?.includes(ann.id)) resolve();
    });
    void stop;
  });
  await expect.poll(() => bob.chat.signals.getState().typing[id]).toBeUndefined();
});

it('presence is told of those one asks for', async () => {
  await direct(ann, bob);
  const stop = ann.chat.watchPresence([bob.id]);
  await expect.poll(() => ann.chat.signals.getState().presence[bob.id]?.status).toBe('online');
  bob.chat.setPresence('away');
  await expect.poll(() => ann.chat.signals.getState().presence[bob.id]?.status).toBe('away');
  bob.chat.setPresence('online');
  stop();
});

it('[P31] a new device with the password reads the whole history', async () => {
  const id = await direct(ann, bob);
  await using device = await sameOn(server.url, ann);
  await device.chat.open(id);
  expect(textsOf(device.chat, id)).toEqual(textsOf(ann.chat, id));
  expect(textsOf(device.chat, id)).not.toContain('<unreadable>');
  const sent = device.chat.send(id, { text: 'from the new device' });
  await stored(ann.chat, id, sent);
  await stored(bob.chat, id, sent);
});

describe('groups', () => {
  it('[P22] whoever is added reads from then on, whoever is removed reads no more', async () => {
    const id = await ann.chat.createGroup('Plans', [bob.id]);
    await until(bob.chat, (state) => state.conversations[id]?.title === 'Plans');
    await Promise.all([ann.chat.open(id), bob.chat.open(id)]);
    await stored(bob.chat, id, ann.chat.send(id, { text: 'before' }));
    await ann.chat.addParticipant(id, carol.id);
    await until(carol.chat, (state) => state.conversations[id]?.title === 'Plans');
    await carol.chat.open(id);
    await stored(carol.chat, id, bob.chat.send(id, { text: 'welcome' }));
    expect(textsOf(carol.chat, id)).toEqual(['welcome']);
    await ann.chat.removeParticipant(id, carol.id);
    await until(carol.chat, (state) => state.conversations[id] === undefined);
    await stored(bob.chat, id, ann.chat.send(id, { text: 'without Carol' }));
    await expect(carol.chat.open(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(textsOf(bob.chat, id)).toEqual(['before', 'welcome', 'without Carol']);
  });

  it('[P22] when somebody leaves, the next to send changes the key first', async () => {
    const id = await ann.chat.createGroup('Leaving', [bob.id, carol.id]);
    await Promise.all([bob, carol].map(({ chat }) => until(chat, (state) => state.conversations[id])));
    await Promise.all([ann, bob].map(({ chat }) => chat.open(id)));
    await carol.chat.removeParticipant(id, carol.id);
    await until(bob.chat, (state) => state.conversations[id]?.participants.length === 2);
    await stored(ann.chat, id, bob.chat.send(id, { text: 'she is gone' }));
    expect(textsOf(ann.chat, id)).toEqual(['she is gone']);
    const [row] = await server.db.sql`select key_epoch from conversations where id = ${id}`;
    expect(row?.key_epoch).toBe(1);
  });

  it('roles are signed: an admin gives them, and a renamed group is renamed for all', async () => {
    const id = await ann.chat.createGroup('Roles', [bob.id, carol.id]);
    await until(bob.chat, (state) => state.conversations[id]);
    await expect(bob.chat.rename(id, 'Mine')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await ann.chat.setRole(id, bob.id, 'moderator');
    await until(bob.chat, (state) => state.conversations[id]?.myRole === 'moderator');
    await bob.chat.rename(id, 'Ours');
    await until(carol.chat, (state) => state.conversations[id]?.title === 'Ours');
  });
});

it('[P30] content changed in the database is shown as unreadable, never as text', async () => {
  const id = await direct(bob, carol);
  const sent = bob.chat.send(id, { text: 'as I said it' });
  await stored(carol.chat, id, sent);
  const [row] = await server.db.sql`select content_encrypted from messages where id = ${sent}`;
  const bytes = Buffer.from(String(row?.content_encrypted), 'base64');
  bytes[300] = (bytes[300] ?? 0) ^ 1;
  await server.db.sql`update messages set content_encrypted = ${bytes.toString('base64')} where id = ${sent}`;
  await using device = await sameOn(server.url, carol);
  await device.chat.open(id);
  expect(messagesOf(device.chat, id)[0]?.content).toEqual({ kind: 'unreadable', reason: 'BAD_SIGNATURE' });
});

it('a mute holds on all devices of the one who mutes, counts on, and is no affair of others', async () => {
  const id = await direct(ann, bob);
  await ann.chat.mute(id, FOR_EVER);
  const muted = ({ chat }: TestChat) => isMuted(must(chat.store.getState().conversations[id], 'just begun'));
  expect([ann, bob].map(muted)).toEqual([true, false]);
  await using other = await sameOn(server.url, ann);
  await until(other.chat, (state) => state.conversations[id]?.mutedUntil === FOR_EVER);
  const before = selectUnreadTotal(other.chat.store.getState());
  bob.chat.send(id, { text: 'psst' });
  await until(other.chat, (state) => state.conversations[id]?.unreadCount === 1);
  expect(selectUnreadTotal(other.chat.store.getState())).toBe(before);
  await other.chat.mute(id, null);
  expect(muted(other)).toBe(false);
  expect(selectUnreadTotal(other.chat.store.getState())).toBe(before + 1);
});
