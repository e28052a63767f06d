/** The keys of a conversation against people who cheat, with the code they would write: bad wraps, old keys and a stolen database. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createChat, memoryStorage } from '#client/index';
import { messageKey, openEnvelope, openGrant, openKeychain, ratchetKey, unwrapKey } from '#crypto/index';
import { decodeEpoch, decodeIdentity, fingerprint, fromBase64, parseEnvelope, sha256 } from '#crypto/verify';
import { selectChanged } from '#client/select';
import { must } from '#lib/must';
import { issueCode } from '#server/domain/account-codes';
import { add } from '../crypto/people.ts';
import { draftEpoch, newUser, type Person, type Room, sealTitle, send } from '../harness/people.ts';
import { newComer } from '../harness/registration.ts';
import { newServer, type TestServer } from '../harness/server.ts';
import { messagesOf, newChat, sameOn, stored, type TestChat, textsOf, until } from './people.ts';

let server: TestServer;
let ann: TestChat;
let bob: TestChat;
let cyd: TestChat;

beforeAll(async () => {
  server = await newServer();
  [ann, bob, cyd] = await Promise.all([newChat(server.url), newChat(server.url), newChat(server.url)]);
});
afterAll(async () => {
  await Promise.all([ann, bob, cyd].map((person) => person?.[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

const epochOf = (person: TestChat, id: string) =>
  must(person.chat.store.getState().conversations[id], 'in it').keyEpoch;
const reads = (person: TestChat, id: string, text: string) =>
  until(person.chat, (state) => {
    const timeline = state.timelines[id];
    return timeline?.ids.some((one) => {
      const content = timeline.byId.get(one)?.content;
      return content?.kind === 'text' && content.body === text;
    });
  });

async function group(...members: TestChat[]): Promise<string> {
  const id = await ann.chat.createGroup(
    'Keys',
    members.map((person) => person.id),
  );
  await Promise.all(members.map(({ chat }) => until(chat, (state) => state.conversations[id])));
  await Promise.all([ann, ...members].map(({ chat }) => chat.open(id)));
  return id;
}

async function say(person: TestChat, id: string, text: string): Promise<string> {
  const sent = person.chat.send(id, { text });
  await stored(person.chat, id, sent);
  return sent;
}

it('[C81] added with the history one reads everything, without it what comes', async () => {
  const id = await group(bob);
  await say(ann, id, 'in the first epoch');
  await ann.chat.removeParticipant(id, bob.id);
  await say(ann, id, 'in the second');
  await ann.chat.addParticipant(id, bob.id);
  await ann.chat.addParticipant(id, cyd.id, 'member', { history: true });
  await Promise.all([bob, cyd].map(({ chat }) => until(chat, (state) => state.conversations[id])));
  await Promise.all([bob, cyd].map(({ chat }) => chat.open(id)));
  await say(ann, id, 'to both');
  await Promise.all([bob, cyd].map((person) => reads(person, id, 'to both')));
  expect(textsOf(bob.chat, id)).toEqual(['to both']);
  expect(textsOf(cyd.chat, id)).toEqual(['in the first epoch', 'in the second', 'to both']);
  await using elsewhere = await sameOn(server.url, cyd);
  await elsewhere.chat.open(id);
  expect(textsOf(elsewhere.chat, id)).toEqual(['in the first epoch', 'in the second', 'to both']);
});

it('[C66] one of more people than fit into one question is removed, by somebody who knows all of them', async () => {
  const crowd = await Promise.all(Array.from({ length: 120 }, () => newUser(server, 'crowd')));
  const ids = crowd.map(({ userId }) => userId);
  const id = await ann.chat.createGroup('Crowd', ids);
  await ann.chat.removeParticipant(id, must(ids[0], 'there are many'));
  await until(ann.chat, ({ conversations }) => conversations[id]?.participants.length === ids.length);
  expect(epochOf(ann, id)).toBe(1);
  for (const person of crowd) await person[Symbol.asyncDispose]();
});

/** What somebody with keys of his own makes of a database: every key he can get at, by epoch. */
async function keysFrom(thief: Person, conversationId: string, known: Map<number, Uint8Array>) {
  const { sql } = server.db;
  const keys = new Map(known);
  const records =
    await sql`select epoch, record, hash from conversation_epochs where conversation_id = ${conversationId} order by epoch`;
  const wraps =
    await sql`select epoch, user_id, user_gen, wrapped from epoch_key_wraps where conversation_id = ${conversationId}`;
  const people = await sql`select id from users`;
  const mine = must(thief.keys.kem.get(0), 'his own');
  for (const wrap of wraps) {
    const record = must(
      records.find(({ epoch }) => epoch === wrap.epoch),
      'of an epoch',
    );
    for (const userId of [String(wrap.user_id), thief.userId]) {
      const place = {
        conversationId,
        epoch: Number(wrap.epoch),
        recordHash: record.hash,
        userId,
        gen: Number(wrap.user_gen),
      };
      await unwrapKey(mine, place, wrap.wrapped).then(
        (key) => keys.set(Number(wrap.epoch), key),
        () => {},
      );
    }
  }
  for (const { from_user, to_gen, head, sealed } of await sql`select * from history_grants`) {
    for (const { id } of people) {
      const place = { conversationId, head, fromUserId: String(from_user), userId: String(id), gen: Number(to_gen) };
      const opened = await openGrant(mine, place, sealed).catch(() => []);
      for (const { epoch, key } of opened) keys.set(epoch, key);
    }
  }
  for (const { user_id, data } of await sql`select * from keychains`) {
    const place = { userId: String(user_id), conversationId };
    const opened = await openKeychain(thief.keys.kem, place, data).catch(() => []);
    for (const { epoch, key } of opened) keys.set(epoch, key);
  }
  // Forward from everything he has, whatever the records say about how their keys came to be.
  const guesses: Uint8Array[] = [...keys.values()];
  for (const { record } of records) {
    const { epoch, prevHash } = decodeEpoch(record);
    const next = await Promise.all(guesses.map((key) => ratchetKey(key, { conversationId, epoch, prevHash })));
    guesses.push(...next);
  }
  return [...keys.values(), ...guesses];
}

async function openedBy(thief: Person, conversationId: string, known: Map<number, Uint8Array>): Promise<unknown[]> {
  const rows = await server.db
    .sql`select content_encrypted from messages where conversation_id = ${conversationId} order by seq`;
  const keys = await Promise.all((await keysFrom(thief, conversationId, known)).map(messageKey));
  const texts: unknown[] = [];
  for (const row of rows) {
    const envelope = parseEnvelope(fromBase64(String(row.content_encrypted)));
    for (const key of keys) {
      const payload = await openEnvelope(envelope, key).catch(() => undefined);
      if (payload) {
        texts.push(payload.body);
        break;
      }
    }
  }
  return texts;
}

it('[P22] who was removed reads nothing of what follows, with all his keys, the whole database and code of his own', async () => {
  await using mallory = await newComer(server, 'mallory');
  const id = await group(bob);
  await say(ann, id, 'before he came');
  await ann.chat.addParticipant(id, mallory.userId);
  await say(ann, id, 'while he was here');
  // He keeps the key, not only the wrap.
  const [wrap] = await mallory.api.keys.wraps.query({ conversationId: id });
  const { epoch, wrapped } = must(wrap, 'one for him');
  const record = must((await mallory.api.keys.epochs.query({ conversationId: id })).at(epoch), 'the newest').record;
  const place = {
    conversationId: id,
    epoch,
    recordHash: await sha256(fromBase64(record)),
    userId: mallory.userId,
    gen: 0,
  };
  const key = await unwrapKey(must(mallory.keys.kem.get(0), 'his own'), place, fromBase64(wrapped));
  await ann.chat.removeParticipant(id, mallory.userId);
  await say(ann, id, 'after he went');
  await say(bob, id, 'and an answer');
  await ann.chat.addParticipant(id, cyd.id, 'member', { history: true });
  await say(bob, id, 'under a ratchet');
  expect(await openedBy(mallory, id, new Map([[epoch, key]]))).toEqual(['while he was here']);
});

/** A member who makes a proper epoch and gives these people something else than its key. */
async function badRotation(mallory: Person, room: Room, victims: readonly string[]): Promise<Room> {
  const { authored, epoch } = await draftEpoch(mallory, room.people, { kind: 'rotate', ops: [] }, room);
  const wraps = epoch.wraps.map((wrap) => {
    const other = must(
      epoch.wraps.find(({ userId }) => userId === mallory.userId),
      'his own',
    );
    return victims.includes(wrap.userId) ? { ...wrap, wrapped: other.wrapped } : wrap;
  });
  await mallory.api.keys.rotate.mutate({ conversationId: room.id, epoch: { ...epoch, wraps } });
  return { ...room, epoch: authored };
}

/** Mallory's own group: he has its keys in his hands. */
async function hisGroup(mallory: Person, members: TestChat[]): Promise<Room> {
  const links = await mallory.api.keys.identities.query({ userIds: members.map(({ id }) => id) });
  const others = await Promise.all(
    links.map(async ({ userId, record }) => {
      const identity = decodeIdentity(fromBase64(record));
      return { ...mallory, userId, identity, fingerprint: await fingerprint(identity) };
    }),
  );
  const people = [mallory, ...others];
  const ops = [add(mallory, 2), ...others.map((person) => add(person))];
  const { authored, epoch } = await draftEpoch(mallory, people, { kind: 'create', ops });
  const room: Room = { id: authored.state.record.conversationId, epoch: authored, people };
  const title = await sealTitle(mallory, room, 'Trap', 0);
  const participantIds = members.map(({ id }) => id);
  await mallory.api.conversations.createGroup.mutate({ id: room.id, title, participantIds, epoch });
  await Promise.all(members.map(({ chat }) => until(chat, (state) => state.conversations[room.id])));
  await Promise.all(members.map(({ chat }) => chat.open(room.id)));
  return room;
}

it('[C83] whoever is given a bad key makes a new one, and two who do it at once do not chase each other', async () => {
  await using mallory = await newComer(server, 'mallory');
  const room = await badRotation(mallory, await hisGroup(mallory, [ann, bob, cyd]), [bob.id, cyd.id]);
  await send(mallory, room, 'only for Ann');
  await reads(ann, room.id, 'only for Ann');
  for (const person of [bob, cyd]) {
    const content = () => messagesOf(person.chat, room.id).at(0)?.content;
    await vi.waitFor(() => expect(content()).toEqual({ kind: 'unreadable', reason: 'BAD_WRAP' }), 10_000);
  }
  await Promise.all(
    [bob, cyd].map(({ chat }) => until(chat, (state) => (state.conversations[room.id]?.keyEpoch ?? 0) > 1)),
  );
  await say(bob, room.id, 'from Bob');
  await say(cyd, room.id, 'from Cyd');
  for (const person of [ann, bob, cyd]) {
    await reads(person, room.id, 'from Bob');
    await reads(person, room.id, 'from Cyd');
  }
  expect(epochOf(ann, room.id)).toBeLessThanOrEqual(3);
});

it('[C83] a last message that cannot be read heals its conversation before anybody opens it', async () => {
  const dan = await newChat(server.url);
  await using mallory = await newComer(server, 'malvina');
  const good = await hisGroup(mallory, [ann, dan]);
  await dan.chat.close();
  const room = await badRotation(mallory, good, [dan.id]);
  await send(mallory, room, 'only for Ann');
  await using back = await sameOn(server.url, dan);
  await until(back.chat, (state) => (state.conversations[room.id]?.keyEpoch ?? 0) > 1);
});

it('[C10] two who rotate at once make one epoch, and both are heard; so do two tabs', async () => {
  const id = await group(bob, cyd);
  await cyd.chat.removeParticipant(id, cyd.id);
  await Promise.all([ann, bob].map(({ chat }) => until(chat, (state) => state.conversations[id]?.rekeyRequired)));
  await Promise.all([say(ann, id, 'Ann rotates'), say(bob, id, 'Bob rotates')]);
  for (const person of [ann, bob]) {
    await reads(person, id, 'Ann rotates');
    await reads(person, id, 'Bob rotates');
  }
  expect(epochOf(ann, id)).toBe(1);

  const storage = memoryStorage();
  const tabs = await Promise.all(
    [0, 1].map(async (n) => {
      const chat = createChat({ url: server.url, storage });
      if (n === 1) await until(ann.chat, (state) => state.ready);
      return chat;
    }),
  );
  const [left, right] = tabs.map((chat) => must(chat, 'two'));
  for (const tab of tabs) await tab.login({ login: ann.username, password: ann.password });
  await ann.chat.addParticipant(id, cyd.id);
  await until(cyd.chat, (state) => state.conversations[id]);
  await cyd.chat.removeParticipant(id, cyd.id);
  for (const tab of tabs) {
    await until(tab, (state) => state.conversations[id]?.rekeyRequired);
    await tab.open(id);
  }
  const before = epochOf(bob, id);
  const sent = [must(left, 'a tab').send(id, { text: 'left' }), must(right, 'a tab').send(id, { text: 'right' })];
  for (const message of sent) await stored(bob.chat, id, message);
  expect(epochOf(bob, id)).toBe(before + 1);
  await Promise.all(tabs.map((tab) => tab.close()));
});

it('[C71] somebody who was compared, has started over and has left keeps nobody from talking', async () => {
  await using dan = await newChat(server.url);
  const id = await group(bob, dan);
  await ann.chat.verify(dan.id, (await ann.chat.safetyNumber(dan.id)).number);
  const code = await issueCode(server.deps, { userId: dan.id, purpose: 'reset' });
  const anew = createChat({ url: server.url });
  await using _ = { [Symbol.asyncDispose]: () => anew.close() };
  await anew.resetAccount({ login: dan.username, code, password: 'from scratch' });
  await until(ann.chat, ({ trust }) => trust[dan.id] === 'changed');
  const waiting = ann.chat.send(id, { text: 'is that you, Dan?' });
  await until(ann.chat, selectChanged(id));
  await anew.removeParticipant(id, dan.id);
  await stored(ann.chat, id, waiting);
  await ann.chat.rename(id, 'Without Dan');
  await reads(bob, id, 'is that you, Dan?');
});

it('[C84] many wraps become one blob: the server keeps the newest, and a new device reads everything', async () => {
  const id = await group(bob);
  for (let i = 0; i < 4; i++) {
    await say(bob, id, `epoch ${i}`);
    await ann.chat.addParticipant(id, cyd.id);
    await ann.chat.removeParticipant(id, cyd.id);
  }
  const { sql } = server.db;
  const wraps = () => sql`select epoch from epoch_key_wraps where conversation_id = ${id} and user_id = ${bob.id}`;
  await vi.waitFor(async () => expect((await wraps()).length).toBeLessThan(3), 10_000);
  await using elsewhere = await sameOn(server.url, bob);
  await elsewhere.chat.open(id);
  expect(textsOf(elsewhere.chat, id)).toEqual([0, 1, 2, 3].map((i) => `epoch ${i}`));
  // Nobody else's wraps, and nobody's in another conversation.
  const [others] = await sql`select count(*)::int as n from epoch_key_wraps where user_id = ${cyd.id}`;
  expect(others?.n).toBeGreaterThan(4);
  const chain = { conversationId: id, throughEpoch: 8, replaces: null, data: 'AAAA' };
  await expect(bob.chat.api.keys.putKeychain.mutate(chain)).rejects.toMatchObject({
    data: { reason: 'keychain_stale' },
  });
});

it('[C87] what could not be read is counted by its reason alone', async () => {
  await ann.chat.api.keys.report.mutate({ reason: 'REPLAY', count: 3 });
  const metrics = await server.deps.metrics.registry.getSingleMetricAsString('parley_unreadable_total');
  expect(metrics).toContain('parley_unreadable_total{reason="REPLAY"} 3');
  const made = { reason: 'Hello Bob' as 'REPLAY', count: 1 };
  await expect(ann.chat.api.keys.report.mutate(made)).rejects.toMatchObject({ data: { reason: 'invalid_input' } });
});
