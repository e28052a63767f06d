/** Nothing that was written is lost, doubled or out of order, whatever is closed, cut or done to it before it is stored. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createChat, memoryStorage, type Storage } from '#client/index';
import type { Chat, MessageView } from '#client/types';
import { must } from '#lib/must';
import { newServer, type TestServer } from '../harness/server.ts';
import { meOf, messagesOf, newChat, stored, type TestChat, textsOf, until } from './people.ts';
import { newWire, type Wire } from './wire.ts';

const PASSWORD = 'a long password of ann';

let server: TestServer;
let bob: TestChat;
let wire: Wire;
/** What the browser of Ann keeps; every chat on it is a tab. */
let device: Storage;
let tabs: Chat[] = [];
let username: string;
let id: string;
let count = 0;

beforeAll(async () => {
  server = await newServer();
  bob = await newChat(server.url);
});
afterAll(async () => {
  await bob[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  wire = await newWire(server.url);
  device = memoryStorage();
  username = `ann${++count}`;
  const ann = createChat({ url: wire.url, storage: device });
  tabs = [ann];
  await ann.register({ username, email: `${username}@example.org`, password: PASSWORD });
  id = await ann.createDirect(bob.id);
  await until(bob.chat, (state) => state.conversations[id]);
  await Promise.all([ann.open(id), bob.chat.open(id)]);
  return async () => {
    await Promise.all(tabs.map((tab) => tab.close()));
    await wire[Symbol.asyncDispose]();
  };
});

const first = () => must(tabs[0], 'opened before each test');

async function newTab(): Promise<Chat> {
  const tab = createChat({ url: wire.url, storage: device });
  tabs.push(tab);
  await tab.login({ login: username, password: PASSWORD });
  await tab.open(id);
  return tab;
}

async function offline(): Promise<void> {
  wire.down();
  for (const tab of tabs) await until(tab, ({ connection }) => connection.status !== 'online');
}
async function closeAll(): Promise<void> {
  await Promise.all(tabs.splice(0).map((tab) => tab.close()));
}
function online(): void {
  wire.up();
  for (const tab of tabs) tab.reconnect();
}

const kept = async () => (await device.entries('outbox')).length;
const view = (chat: Chat, message: string) => chat.store.getState().timelines[id]?.byId.get(message);
const seen = (chat: Chat, message: string, look: (view: MessageView) => unknown) =>
  until(chat, (state) => {
    const found = state.timelines[id]?.byId.get(message);
    return found && look(found) ? found : undefined;
  });
const shown = (chat: Chat) => {
  const timeline = chat.store.getState().timelines[id];
  return [...(timeline?.ids ?? []), ...(timeline?.pending ?? [])].map((message) => {
    const { content } = must(timeline?.byId.get(message), 'every id has its message');
    return content.kind === 'text' ? content.body : `<${content.kind}>`;
  });
};
/** Everything is out, and everybody sees the same. */
async function settled(...texts: string[]): Promise<void> {
  await expect.poll(() => textsOf(bob.chat, id)).toEqual(texts);
  for (const tab of tabs) await expect.poll(() => shown(tab)).toEqual(texts);
  await expect.poll(kept).toBe(0);
  const [row] = await server.db.sql`select count(*)::int as n from messages where conversation_id = ${id}`;
  expect(row?.n).toBe(texts.length);
}

describe('a tab that is closed', () => {
  it('[P20] with five unsent messages, and opened again: they go out once, in order', async () => {
    await offline();
    const texts = ['one', 'two', 'three', 'four', 'five'];
    for (const text of texts) first().send(id, { text });
    await expect.poll(kept).toBe(5);
    await closeAll();
    online();
    await newTab();
    await settled(...texts);
  });

  it('[P20] [P12] what was done to stored messages goes out, too: edited, deleted, reacted to, taken back', async () => {
    const ann = first();
    const [edited, deleted, liked, disliked] = ['a', 'b', 'c', 'd'].map((text) => ann.send(id, { text }));
    for (const message of [edited, deleted, liked, disliked]) await stored(ann, id, must(message, 'sent'));
    const [e, x, l, d] = [edited, deleted, liked, disliked].map((one) => must(one, 'sent')) as [
      string,
      string,
      string,
      string,
    ];
    await ann.react(id, d, '👎');
    await offline();
    const acts = [ann.edit(id, e, 'a, better'), ann.remove(id, x), ann.react(id, l, '👍')];
    acts.push(ann.unreact(id, d, must(view(ann, d)?.reactions[0], 'reacted').tag));
    for (const act of acts) act.catch(() => {});
    expect(shown(ann)).toEqual(['a, better', '<deleted>', 'c', 'd']);
    expect(view(ann, l)?.reactions).toMatchObject([{ emoji: '👍', count: 1, mine: true }]);
    expect(view(ann, d)?.reactions).toEqual([]);
    expect(view(ann, e)).toMatchObject({ isEdited: true, acts: [{ kind: 'edit', failed: null }] });
    await expect.poll(kept).toBe(4);
    await closeAll();
    online();
    const again = await newTab();
    await settled('a, better', '<deleted>', 'c', 'd');
    for (const chat of [again, bob.chat]) {
      await seen(chat, l, ({ reactions }) => reactions[0]?.emoji === '👍' && reactions[0].count === 1);
      await seen(chat, d, ({ reactions }) => reactions.length === 0);
      expect(view(chat, e)?.acts).toEqual([]);
    }
  });
});

describe('while it waits', () => {
  it('[P20] a message is edited and is simply another one; cancelled, it never was', async () => {
    const ann = first();
    await offline();
    const [kept1, gone] = [ann.send(id, { text: 'draft' }), ann.send(id, { text: 'a slip' })];
    await Promise.all([ann.edit(id, kept1, 'better'), ann.remove(id, gone)]);
    expect(shown(ann)).toEqual(['better']);
    await ann.edit(id, kept1, 'final');
    expect(shown(ann)).toEqual(['final']);
    expect(view(ann, kept1)).toMatchObject({ isEdited: false, seq: null, acts: [] });
    await expect.poll(kept).toBe(1);
    online();
    await settled('final');
    expect(view(bob.chat, kept1)).toMatchObject({ isEdited: false, revision: 0 });
  });

  it('[P3] [P4] with an unknown outcome its bytes are final: an edit comes after it, a deletion leaves a tombstone', async () => {
    const ann = first();
    await stored(ann, id, ann.send(id, { text: 'hello' }));
    wire.deafen();
    const [edited, deleted] = [ann.send(id, { text: 'draft' }), ann.send(id, { text: 'never attempted' })];
    await stored(bob.chat, id, edited);
    const acts = [ann.edit(id, edited, 'final'), ann.remove(id, deleted)];
    for (const act of acts) act.catch(() => {});
    expect(shown(ann)[1]).toBe('final');
    online();
    await Promise.all(acts);
    await settled('hello', 'final');
    await seen(bob.chat, edited, ({ isEdited, revision }) => isEdited && revision === 1);
  });

  it('[P12] the last edit wins, whoever was first to be online; what was deleted meanwhile is refused, and says why', async () => {
    const ann = first();
    const [m, gone] = [ann.send(id, { text: 'v0' }), ann.send(id, { text: 'to go' })];
    await Promise.all([stored(ann, id, m), stored(ann, id, gone)]);
    const other = createChat({ url: server.url });
    await other.login({ login: username, password: PASSWORD });
    await other.open(id);
    await offline();
    const late = ann.edit(id, m, 'the last word');
    const refused = ann.edit(id, gone, 'too late').catch((error: unknown) => error);
    await Promise.all([other.edit(id, m, 'meanwhile'), other.remove(id, gone)]);
    await other.close();
    online();
    await late;
    expect(await refused).toMatchObject({ reason: 'message_deleted' });
    const { acts } = await seen(ann, gone, (message) => message.acts[0]?.failed);
    expect(acts).toMatchObject([{ kind: 'edit', failed: 'message_deleted', body: 'too late' }]);
    ann.discard(id, must(acts[0], 'one').id);
    await settled('the last word', '<deleted>');
  });

  it('[P22] somebody is put out: it is sealed anew, for those who are left', async () => {
    const ann = first();
    await using carol = await newChat(server.url);
    const group = await ann.createGroup('Tides', [bob.id, carol.id]);
    await ann.open(group);
    await until(bob.chat, (state) => state.conversations[group]);
    await stored(ann, group, ann.send(group, { text: 'before' }));
    await until(carol.chat, (state) => state.conversations[group]);
    await offline();
    const waiting = ann.send(group, { text: 'without her' });
    await carol.chat.removeParticipant(group, carol.id);
    online();
    await bob.chat.open(group);
    await stored(bob.chat, group, waiting);
    expect(textsOf(bob.chat, group)).toEqual(['before', 'without her']);
  });
});

describe('several tabs', () => {
  it('[P20] show the same; edits, cancellations come from any; the one that is left delivers', async () => {
    const ann = first();
    const other = await newTab();
    await offline();
    const [a, b, c] = ['a', 'b', 'c'].map((text) => ann.send(id, { text }));
    await expect.poll(() => shown(other)).toEqual(['a', 'b', 'c']);
    expect(view(other, must(a, 'sent'))).toMatchObject({ send: { step: 'waiting' }, senderId: meOf(ann) });
    await Promise.all([other.edit(id, must(a, 'sent'), 'a, said elsewhere'), other.remove(id, must(b, 'sent'))]);
    await expect.poll(() => shown(ann)).toEqual(['a, said elsewhere', 'c']);
    other.send(id, { text: 'd' });
    await expect.poll(() => shown(ann)).toEqual(['a, said elsewhere', 'c', 'd']);
    // The one that wrote first, and looks after the rest, is gone.
    await tabs.shift()?.close();
    online();
    await settled('a, said elsewhere', 'c', 'd');
    expect(view(other, must(c, 'sent'))?.send.step).toBe('stored');
  });

  it('[P3] a message is sent once, and all tabs agree on what became of it', async () => {
    const ann = first();
    const other = await newTab();
    for (let n = 0; n < 10; n++) {
      ann.send(id, { text: `${n}a` });
      other.send(id, { text: `${n}b` });
    }
    await expect.poll(() => messagesOf(bob.chat, id).length).toBe(20);
    const order = textsOf(bob.chat, id);
    for (const side of ['a', 'b']) {
      expect(order.filter((text) => text.endsWith(side))).toEqual(Array.from({ length: 10 }, (_, n) => `${n}${side}`));
    }
    await settled(...order);
  });
});
