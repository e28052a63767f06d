/** Answers that do not arrive: the server has done what it was asked, and the device does not know. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createChat } from '#client/index';
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

/** Calls of this name do not reach the server, or reach it and are not answered. */
function lose(name: string, { reached }: { reached: boolean }): void {
  globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!url.includes(name)) return fetch(input, init);
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
  await ann.chat.verify(bob.id, number);
  const isKept = async () => (await ann.chat.api.keys.readSettings.query()) !== null;
  await expect.poll(isKept, { timeout: 15_000 }).toBe(true);
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
