/** The life of an account through the SDK: after each change the history is readable, or not, as promised - here and on another device. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createChat, memoryStorage } from '#client/index';
import type { Chat } from '#client/types';
import { changePassword, derivePasswordSecrets, newRecoveryLock, unlockWithPassword } from '#crypto/index';
import { issueCode } from '#server/domain/account-codes';
import type { KeyDirectory } from '../../src/client/keyring/directory.ts';
import { Keyring } from '../../src/client/keyring/keyring.ts';
import { newProgram, refusal } from '../harness/program.ts';
import { newServer, type TestServer } from '../harness/server.ts';
import { newChat, sameOn, stored, type TestChat, textsOf, until } from './people.ts';

let server: TestServer;
let bob: TestChat;
beforeAll(async () => {
  server = await newServer();
  bob = await newChat(server.url);
});
afterAll(async () => {
  await bob[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Somebody with a conversation that has a past. */
async function withHistory() {
  const ann = await newChat(server.url);
  const room = await ann.chat.createDirect(bob.id);
  await until(bob.chat, (state) => state.conversations[room]);
  await say(ann.chat, room, 'long ago');
  return { ann, room };
}

async function say(chat: Chat, room: string, text: string): Promise<void> {
  await chat.open(room);
  await stored(chat, room, chat.send(room, { text }));
}

const reads = async (chat: Chat, room: string) => {
  await chat.open(room);
  return textsOf(chat, room);
};
const login = async (person: TestChat, password: string) => sameOn(server.url, { ...person, password });
const refusedWith = (reason: string) => expect.objectContaining({ name: 'SdkError', reason }) as unknown;

/** An epoch in which this person has keys of that generation. */
const rotatedTo = (chat: Chat, room: string, epoch: number) =>
  until(chat, ({ conversations }) => {
    const conversation = conversations[room];
    return conversation && conversation.keyEpoch >= epoch && !conversation.rekeyRequired;
  });

describe('[C61] a new password', () => {
  it('opens everything on another device; the old one opens nothing', async () => {
    const { ann, room } = await withHistory();
    await using _ = ann;
    await expect(ann.chat.changePassword({ current: 'not this one', next: 'x' })).rejects.toEqual(
      refusedWith('invalid_credentials'),
    );
    await ann.chat.changePassword({ current: ann.password, next: 'a quite different one' });
    await expect(login(ann, ann.password)).rejects.toEqual(refusedWith('invalid_credentials'));
    await using device = await login(ann, 'a quite different one');
    expect(await reads(device.chat, room)).toEqual(['long ago']);
    // Only the lock is new: the recovery key shown at the beginning is good.
    await using again = await recovered(ann, ann.recoveryKey, 'third');
    expect(await reads(again.chat, room)).toEqual(['long ago']);
  });

  it('and a new recovery key are refused when the keys they lock have been replaced in the meantime', async () => {
    await using ann = await newChat(server.url);
    const { api } = ann.chat;
    const { kdf } = await api.auth.preLogin.query({ login: ann.username });
    const { authSecret, kek } = await derivePasswordSecrets(ann.password, kdf);
    const sealed = await api.keys.account.mutate({ password: authSecret });
    const wrapped = sealed.wrappedMasterKey.password;
    const account = await unlockWithPassword({ userId: ann.id, kek, wrapped, stored: sealed });
    const { gen } = sealed.identity;
    const { authSecret: next, ...locks } = await changePassword(account, 'made before the keys');
    const { recoveryKey: _, ...lock } = await newRecoveryLock(account);
    await ann.chat.rotateKeys({ password: ann.password });
    const late = { ...locks, gen, currentPassword: authSecret, password: next };
    const stale = expect.objectContaining({ reason: 'identity_stale' }) as unknown;
    expect(await refusal(api.keys.changePassword.mutate(late))).toEqual(stale);
    expect(await refusal(api.keys.newRecoveryKey.mutate({ ...lock, gen, password: authSecret }))).toEqual(stale);
    await using _device = await login(ann, ann.password);
  });

  it('is stretched further at log-in when the strength of today is more than that of the account', async () => {
    await using ann = await newChat(server.url);
    await using program = newProgram(server);
    const silent = new Proxy({} as KeyDirectory, { get: () => async () => null });
    const later = new Keyring(memoryStorage(), silent, { m: 65_536, t: 4, p: 1 });
    const enter = async () => {
      const { kdf } = await program.api.auth.preLogin.query({ login: ann.username });
      const password = await later.prepareLogin(ann.password, kdf);
      const { account, accessToken } = await program.api.auth.login.mutate({ login: ann.username, password });
      program.token = accessToken;
      return { kdf, password, upgrade: await later.finishLogin(ann.id, account) };
    };
    const { kdf, password, upgrade } = await enter();
    expect(kdf.t).toBe(3);
    const { authSecret, ...locks } = upgrade ?? expect.fail('nothing to upgrade');
    const change = { ...locks, currentPassword: password, password: authSecret, keepSessions: true };
    await program.api.keys.changePassword.mutate(change);
    const second = await enter();
    expect(second.kdf.t).toBe(4);
    expect(second.upgrade).toBeNull();
    // Who runs an older version comes in all the same.
    await using device = await login(ann, ann.password);
    expect(device.id).toBe(ann.id);
  });
});

async function recovered(person: TestChat, recoveryKey: string, password: string): Promise<TestChat> {
  const chat = createChat({ url: server.url });
  const next = await chat.recover({ login: person.username, recoveryKey, password });
  return { ...person, ...next, password, chat, [Symbol.asyncDispose]: () => chat.close() };
}

describe('[C62] the recovery key', () => {
  it('brings everything back without the password, once, and signs everybody else out', async () => {
    const { ann, room } = await withHistory();
    await using _ = ann;
    await using back = await recovered(ann, ann.recoveryKey.toLowerCase(), 'chosen anew');
    expect(await reads(back.chat, room)).toEqual(['long ago']);
    await say(back.chat, room, 'I am back');
    await until(ann.chat, ({ session }) => session.status === 'signed-out');
    await expect(recovered(ann, ann.recoveryKey, 'again')).rejects.toEqual(refusedWith('invalid_credentials'));
    await using device = await login(ann, 'chosen anew');
    expect(await reads(device.chat, room)).toEqual(['long ago', 'I am back']);
    expect(back.recoveryKey).not.toBe(ann.recoveryKey);
  });

  it('lost while the password is known: another is made, and the lost one opens nothing', async () => {
    const { ann, room } = await withHistory();
    await using _ = ann;
    const { recoveryKey } = await ann.chat.newRecoveryKey({ password: ann.password });
    await expect(recovered(ann, ann.recoveryKey, 'new')).rejects.toEqual(refusedWith('invalid_credentials'));
    await using back = await recovered(ann, recoveryKey, 'new');
    expect(await reads(back.chat, room)).toEqual(['long ago']);
  });

  it('mistyped, is refused before anybody is asked', async () => {
    await using ann = await newChat(server.url);
    await expect(recovered(ann, ann.recoveryKey.slice(1), 'new')).rejects.toEqual(refusedWith('BAD_RECOVERY_KEY'));
  });
});

describe('[C63] new keys after a theft', () => {
  it('reach every conversation at once, keep the past readable, and close it to what was stolen', async () => {
    const { ann, room } = await withHistory();
    await using _ = ann;
    await using second = await login(ann, ann.password);
    const { recoveryKey } = await ann.chat.rotateKeys({ password: ann.password });
    // Nobody has sent anything: the conversation has a new epoch all the same.
    await rotatedTo(ann.chat, room, 1);
    await until(second.chat, ({ session }) => session.status === 'signed-out');
    await say(ann.chat, room, 'with new keys');
    await bob.chat.open(room);
    await until(bob.chat, () => textsOf(bob.chat, room).includes('with new keys'));
    await say(bob.chat, room, 'I can read you');
    await using device = await login(ann, ann.password);
    expect(await reads(device.chat, room)).toEqual(['long ago', 'with new keys', 'I can read you']);
    await expect(recovered(ann, ann.recoveryKey, 'new')).rejects.toEqual(refusedWith('invalid_credentials'));
    await using back = await recovered(ann, recoveryKey, 'new');
    expect(await reads(back.chat, room)).toEqual(['long ago', 'with new keys', 'I can read you']);
    const wraps = await server.db.sql`select epoch, user_gen from epoch_key_wraps
      where conversation_id = ${room} and user_id = ${ann.id} order by epoch`;
    expect(wraps.at(-1)).toMatchObject({ user_gen: 1 });
  });

  it('need the password', async () => {
    await using ann = await newChat(server.url);
    const attempt = ann.chat.rotateKeys({ password: 'not this one' });
    await expect(attempt).rejects.toEqual(refusedWith('invalid_credentials'));
    const chain = await bob.chat.api.keys.identities.query({ userIds: [ann.id] });
    expect(chain).toHaveLength(1);
  });
});

describe('[C64] the password forgotten, but signed in here', () => {
  it('a new one without the old, from what this device keeps, and everything stays readable', async () => {
    const { ann, room } = await withHistory();
    await using _ = ann;
    const { recoveryKey } = await ann.chat.setPasswordHere({ password: 'remembered this time' });
    await rotatedTo(ann.chat, room, 1);
    await say(ann.chat, room, 'and after');
    await using device = await login(ann, 'remembered this time');
    expect(await reads(device.chat, room)).toEqual(['long ago', 'and after']);
    // What this device had no seed of is not needed to go on: the next rotation is signed by the newest key.
    await device.chat.rotateKeys({ password: 'remembered this time' });
    await rotatedTo(device.chat, room, 2);
    await using last = await login(ann, 'remembered this time');
    expect(await reads(last.chat, room)).toEqual(['long ago', 'and after']);
    await expect(recovered(ann, recoveryKey, 'x')).rejects.toEqual(refusedWith('invalid_credentials'));
  });
});

describe('[C65] everything lost', () => {
  it('with a code one is oneself again, and the past is not readable', async () => {
    const { ann, room } = await withHistory();
    await using _ = ann;
    const chat = createChat({ url: server.url });
    await using _chat = { [Symbol.asyncDispose]: () => chat.close() };
    expect(await chat.requestCode({ login: ann.username, purpose: 'reset' })).toEqual({ mailed: false });
    const code = await issueCode(server.deps, { userId: ann.id, purpose: 'reset' });
    const wrong = code.startsWith('1') ? `2${code.slice(1)}` : `1${code.slice(1)}`;
    const reset = (given: string) => chat.resetAccount({ login: ann.username, code: given, password: 'from scratch' });
    await expect(reset(wrong)).rejects.toEqual(refusedWith('invalid_code'));
    const { recoveryKey } = await reset(code);
    expect(await reads(chat, room)).toEqual(['<unreadable>']);
    await until(ann.chat, ({ session }) => session.status === 'signed-out');
    await expect(login(ann, ann.password)).rejects.toEqual(refusedWith('invalid_credentials'));
    await using device = await login(ann, 'from scratch');
    expect(device.id).toBe(ann.id);
    await using back = await recovered(ann, recoveryKey, 'once more');
    await say(back.chat, room, 'starting over');
    await bob.chat.open(room);
    await until(bob.chat, () => textsOf(bob.chat, room).includes('starting over'));
    expect(textsOf(bob.chat, room)).toEqual(['long ago', 'starting over']);
  });
});

it('[C52] log-out in one tab is log-out in all of them', async () => {
  const storage = memoryStorage();
  const [one, other] = [createChat({ url: server.url, storage }), createChat({ url: server.url, storage })];
  await using ann = await newChat(server.url);
  for (const chat of [one, other]) await chat.login({ login: ann.username, password: ann.password });
  await one.logout();
  const left = await until(other, ({ session }) => session.status === 'signed-out' && session);
  expect(left.reason).toBe('logged-out');
  expect(other.store.getState().conversationIds).toEqual([]);
  for (const chat of [one, other]) await chat.close();
});
