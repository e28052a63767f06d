/** Answers that do not arrive: the server has done what it was asked, and the device does not know. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createChat, memoryStorage } from '#client/index';
import { issueCode } from '#server/domain/account-codes';
import { newServer, type TestServer } from '../harness/server.ts';
import { newChat, sameOn, stored, textsOf, until } from './people.ts';

let server: TestServer;
const { fetch } = globalThis;
beforeAll(async () => {
  server = await newServer();
});
afterEach(() => {
  globalThis.fetch = fetch;
});
afterAll(async () => server[Symbol.asyncDispose]());

/** Calls of this name do not reach the server, or reach it and are not answered: the first ones, or all. */
function lose(name: string, { reached, times = Infinity }: { reached: boolean; times?: number }): void {
  let lost = 0;
  globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const isIt = new URL(url).pathname.split(/[/,]/).includes(name);
    if (!isIt || lost >= times) return fetch(input, init);
    lost++;
    if (reached) await fetch(input, init);
    throw new TypeError('the connection was lost');
  };
}

async function withVerifiedFriend() {
  const ann = await newChat(server.url);
  const bob = await newChat(server.url);
  const room = await ann.chat.createDirect(bob.id);
  await ann.chat.open(room);
  const { number } = await ann.chat.safetyNumber(bob.id);
  const version = async () => (await ann.chat.api.keys.readSettings.query())?.version ?? 0;
  // The pin by itself is kept before.
  const before = await version();
  await ann.chat.verify(bob.id, number);
  await expect.poll(version).toBeGreaterThan(before);
  return { ann, bob, room };
}

it('[C63] a rotation that the server has taken is taken over, whether its answer comes or not; nothing decided is lost', async () => {
  const { ann, bob, room } = await withVerifiedFriend();
  await using _ = ann;
  await using _bob = bob;
  lose('keys.rotateIdentity', { reached: true });
  const { recoveryKey } = await ann.chat.rotateKeys({ password: ann.password });
  globalThis.fetch = fetch;
  expect(recoveryKey).toMatch(/^[0-9A-Z-]+$/);
  await stored(ann.chat, room, ann.chat.send(room, { text: 'under new keys' }));
  await using device = await sameOn(server.url, ann);
  await until(device.chat, ({ trust }) => trust[bob.id] === 'verified');
  await device.chat.open(room);
  expect(textsOf(device.chat, room)).toContain('under new keys');
});

it('[C70] who comes back with the recovery key knows at once whose keys were compared, even of a server that hides it later', async () => {
  const { ann, bob } = await withVerifiedFriend();
  await using _ = ann;
  await using _bob = bob;
  const chat = createChat({ url: server.url });
  lose('keys.readSettings', { reached: false });
  await chat.recover({ login: ann.username, recoveryKey: ann.recoveryKey, password: 'a new way in 77' });
  await until(chat, ({ trust }) => trust[bob.id] === 'verified');
  await chat.close();
});

const once = { reached: true, times: 1 };

it('[C69] a recovery: the new recovery key is shown all the same, and is the one in force', async () => {
  await using ann = await newChat(server.url);
  const chat = createChat({ url: server.url });
  lose('keys.recover', once);
  const password = 'a new way in 77';
  const { recoveryKey } = await chat.recover({ login: ann.username, recoveryKey: ann.recoveryKey, password });
  await chat.close();
  await using last = await sameOn(server.url, { ...ann, password });
  const { recoveryKey: third } = await last.chat.recover({ login: ann.username, recoveryKey, password: 'and another' });
  expect(third).not.toBe(recoveryKey);
});

it('[C69] a recovery of which nothing becomes known says so; asked for again, it is the same one', async () => {
  await using ann = await newChat(server.url);
  const chat = createChat({ url: server.url });
  const input = { login: ann.username, recoveryKey: ann.recoveryKey, password: 'a new way in 77' };
  lose('keys.recover', { reached: true });
  await expect(chat.recover(input)).rejects.toMatchObject({ code: 'NETWORK', reason: 'outcome_unknown' });
  globalThis.fetch = fetch;
  const { recoveryKey } = await chat.recover(input);
  await chat.recover({ ...input, recoveryKey, password: 'and another' });
  await chat.close();
});

it('[C69] a reset', async () => {
  await using ann = await newChat(server.url);
  const code = await issueCode(server.deps, { userId: ann.id, purpose: 'reset' });
  const chat = createChat({ url: server.url });
  lose('keys.reset', once);
  const password = 'from scratch';
  const { recoveryKey } = await chat.resetAccount({ login: ann.username, code, password });
  await chat.close();
  await using device = await sameOn(server.url, { ...ann, password });
  expect(device.id).toBe(ann.id);
  await device.chat.recover({ login: ann.username, recoveryKey, password: 'and another' });
});

it('[C69] a new password, and a new recovery key', async () => {
  await using ann = await newChat(server.url);
  const next = 'a quite different one';
  lose('keys.changePassword', once);
  await ann.chat.changePassword({ current: ann.password, next });
  lose('keys.newRecoveryKey', once);
  const { recoveryKey } = await ann.chat.newRecoveryKey({ password: next });
  await using device = await sameOn(server.url, { ...ann, password: next });
  await device.chat.recover({ login: ann.username, recoveryKey, password: 'and another' });
});

it('[C66] conversations that had not followed a change of keys when the page was closed follow when it is opened again', async () => {
  await using bob = await newChat(server.url);
  await using cleo = await newChat(server.url);
  const storage = memoryStorage();
  const username = `rotating${Math.random().toString(36).slice(2, 8)}`;
  const password = 'quite long enough';
  const first = createChat({ url: server.url, storage });
  await first.register({ username, email: `${username}@example.org`, password });
  const rooms = await Promise.all([bob, cleo].map(({ id }) => first.createDirect(id)));
  lose('keys.rotate', { reached: false });
  await first.rotateKeys({ password });
  await first.close();
  globalThis.fetch = fetch;
  const marks = async () =>
    (await server.db.sql`select rekey_required as marked from conversations where id in ${server.db.sql(rooms)}`).map(
      ({ marked }) => marked as boolean,
    );
  expect(await marks()).toEqual([true, true]);
  const again = createChat({ url: server.url, storage });
  await again.login({ login: username, password });
  // Nobody has sent anything.
  for (const room of rooms) await until(again, ({ conversations }) => conversations[room]?.keyEpoch === 1);
  expect(await marks()).toEqual([false, false]);
  await again.close();
});

it('[C66] a server that forgets to mark conversations keeps no own client from giving them new keys', async () => {
  await using ann = await newChat(server.url);
  await using bob = await newChat(server.url);
  const room = await ann.chat.createDirect(bob.id);
  globalThis.fetch = async (input, init) => {
    const answer = await fetch(input, init);
    const url = input instanceof Request ? input.url : String(input);
    if (url.includes('keys.rotateIdentity')) {
      await server.db.sql`update conversations set rekey_required = false, version = version + 1 where id = ${room}`;
    }
    return answer;
  };
  await ann.chat.rotateKeys({ password: ann.password });
  const epoch = async () =>
    (await server.db.sql`select key_epoch from conversations where id = ${room}`)[0]?.['key_epoch'];
  await expect.poll(epoch).toBe(1);
});
