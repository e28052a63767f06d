/** The life of an account on the server: who may change its locks and keys, and what everybody else is told and refused. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { issueCode } from '#server/domain/account-codes';
import { fromBase64, toBase64 } from '#crypto/verify';
import { must } from '#lib/must';
import { encodeIdentity, type IdentityKind } from '../../src/crypto/identity.ts';
import { primitives } from '#crypto/primitives';
import { type Person as Keys, newPerson } from '../crypto/people.ts';
import { draft, newDirect } from '../harness/people.ts';
import { newProgram, type Program, refusal } from '../harness/program.ts';
import { type Comer, newAuthSecret, newComer, newKdf } from '../harness/registration.ts';
import { newServer, type TestServer } from '../harness/server.ts';

const ROOT = join(import.meta.dirname, '../..');
let server: TestServer;
let stranger: Program;
beforeAll(async () => {
  server = await newServer();
  stranger = newProgram(server);
});
afterAll(async () => {
  await stranger[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const bytes = (length: number) => randomBytes(length).toString('base64');
const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest();

/** The next record of a chain, with everything sealed anew; `by` is who signs for the keys before. */
async function nextKeys(before: Keys, { kind = 'rotate' as IdentityKind, gen = 1, by = before } = {}) {
  const next = await newPerson({ userId: before.userId });
  const { sigPub, kemPub } = next.identity;
  const prevHash = Uint8Array.from(sha256(before.signed.record));
  const record = encodeIdentity({ userId: before.userId, gen, createdMs: Date.now(), kind, sigPub, kemPub, prevHash });
  const prevSig = kind === 'rotate' ? toBase64(await primitives.sign(by.keys.signer, record)) : null;
  const recoveryProof = bytes(32);
  return {
    next,
    recoveryProof,
    input: {
      identity: {
        record: toBase64(record),
        selfSig: toBase64(await primitives.sign(next.keys.signer, record)),
        prevSig,
      },
      keyring: bytes(300),
      wrappedMasterKey: { password: bytes(104), recovery: bytes(104) },
      recoveryVerifier: sha256(fromBase64(recoveryProof)).toString('base64'),
    },
  };
}

/** With a recovery key whose proof the test knows. */
async function withRecovery(comer: Comer): Promise<string> {
  const proof = bytes(32);
  await comer.api.keys.newRecoveryKey.mutate({
    password: comer.password,
    wrappedMasterKey: { recovery: bytes(104) },
    recoveryVerifier: sha256(fromBase64(proof)).toString('base64'),
  });
  return proof;
}

const newLocks = () => ({
  password: newAuthSecret(),
  kdf: newKdf(),
  wrappedMasterKey: { password: bytes(104), recovery: bytes(104) },
  recoveryVerifier: bytes(32),
});

describe('[C61] the password, to one who is signed in', () => {
  test('opens the account again; a wrong one is refused', async () => {
    await using ann = await newComer(server, 'ann');
    const opened = await ann.api.keys.account.mutate({ password: ann.password });
    expect(opened).toMatchObject({ hasRecoveryKey: true, identity: { gen: 0 } });
    for (const attempt of [
      () => ann.api.keys.account.mutate({ password: newAuthSecret() }),
      () => ann.api.keys.newRecoveryKey.mutate({ ...newLocks(), password: newAuthSecret() }),
    ])
      expect(await refusal(attempt())).toMatchObject({ code: 'FORBIDDEN', reason: 'invalid_credentials' });
    expect(await refusal(ann.api.keys.account.mutate({ password: 'a raw password' }))).toMatchObject({
      reason: 'password_not_derived',
    });
  });

  test('[P25] a stolen token is no place to guess it', async () => {
    await using limited = await newServer({ env: { RATE_LIMITS: 'on' } });
    await using ann = await newComer(limited, 'ann');
    const reasons = new Set<string>();
    for (let i = 0; i < 12; i++)
      reasons.add((await refusal(ann.api.keys.account.mutate({ password: newAuthSecret() }))).reason);
    expect([...reasons]).toEqual(['invalid_credentials', 'rate_limited']);
    expect(await refusal(ann.api.keys.account.mutate({ password: ann.password }))).toMatchObject({
      reason: 'rate_limited',
    });
  });

  test('[C69] the same change again is done already; a token and the lock are not enough for that', async () => {
    await using ann = await newComer(server, 'ann');
    const { password, kdf, wrappedMasterKey } = newLocks();
    const change = { currentPassword: ann.password, password, kdf, wrappedMasterKey };
    expect(await ann.api.keys.changePassword.mutate(change)).toEqual({ success: true });
    const late = await stranger.api.auth.login.mutate({ login: ann.username, password });
    for (const other of [{ password: newAuthSecret() }, { wrappedMasterKey: { password: bytes(104) } }])
      expect(await refusal(ann.api.keys.changePassword.mutate({ ...change, ...other }))).toMatchObject({
        code: 'FORBIDDEN',
        reason: 'invalid_credentials',
      });
    expect(await ann.api.keys.changePassword.mutate(change)).toEqual({ success: true });
    await using elsewhere = newProgram(server, { token: late.accessToken });
    expect(await refusal(elsewhere.api.users.me.query())).toMatchObject({ reason: 'session_revoked' });
    await stranger.api.auth.login.mutate({ login: ann.username, password });
  });

  test('of two changes that have both proved it, one wins, and the other leaves nothing', async () => {
    await using ann = await newComer(server, 'ann');
    const changes = [newLocks(), newLocks()];
    const answers: Promise<unknown>[] = [];
    // Neither gets to write before both have got past the proof.
    await server.db.sql.begin(async (tx) => {
      await tx`select 1 from users where id = ${ann.userId} for update`;
      for (const { password, kdf, wrappedMasterKey } of changes) {
        const change = { currentPassword: ann.password, password, kdf, wrappedMasterKey, keepSessions: true };
        answers.push(ann.api.keys.changePassword.mutate(change).catch(() => null));
      }
      await vi.waitFor(async () => {
        const [waiting] = await server.db.sql`select count(*)::int as count from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`;
        expect(waiting?.count).toBe(2);
      }, 10_000);
    });
    const won = (await Promise.all(answers)).map((answer) => answer !== null);
    expect([...won].sort()).toEqual([false, true]);
    const winner = must(changes[won.indexOf(true)], 'one of them');
    const { wrappedMasterKey } = await ann.api.keys.account.mutate({ password: winner.password });
    expect(wrappedMasterKey.password).toBe(winner.wrappedMasterKey.password);
  });

  test('stretched further, it signs nobody out', async () => {
    await using ann = await newComer(server, 'ann');
    const elsewhere = await stranger.api.auth.login.mutate({ login: ann.username, password: ann.password });
    const { password, kdf, wrappedMasterKey } = newLocks();
    const change = { currentPassword: ann.password, password, kdf, wrappedMasterKey, keepSessions: true };
    await ann.api.keys.changePassword.mutate(change);
    await using other = newProgram(server, { token: elsewhere.accessToken });
    expect((await other.api.users.me.query()).id).toBe(ann.userId);
  });
});

describe('[C63] new keys', () => {
  test('signed by the old ones: stored, logged, and every conversation waits for a rotation', async () => {
    await using ann = await newComer(server, 'ann');
    await using bob = await newComer(server, 'bob');
    const room = await newDirect(ann, bob);
    const elsewhere = await stranger.api.auth.login.mutate({ login: ann.username, password: ann.password });
    const { input } = await nextKeys(ann);
    const call = () => ann.api.keys.rotateIdentity.mutate({ ...input, currentPassword: ann.password });
    expect(await call()).toEqual({ success: true });
    const late = await stranger.api.auth.login.mutate({ login: ann.username, password: ann.password });
    // The same once more, because the answer was lost: whoever is signed in elsewhere by then is signed out all the same.
    expect(await call()).toEqual({ success: true });
    const chain = await bob.api.keys.identities.query({ userIds: [ann.userId] });
    expect(chain.map(({ gen, record }) => [gen, record])).toEqual([
      [0, toBase64(ann.signed.record)],
      [1, input.identity.record],
    ]);
    const both = { userIds: [ann.userId, bob.userId] };
    const newer = async (known: Record<string, number>) =>
      (await bob.api.keys.identities.query({ ...both, known })).map(({ userId, gen }) => [userId, gen]);
    expect(await newer({ [ann.userId]: 0, [bob.userId]: 0 })).toEqual([
      [ann.userId, 0],
      [ann.userId, 1],
    ]);
    expect(await newer({ [ann.userId]: 1, [bob.userId]: 0 })).toEqual([]);
    const logged = await server.db
      .sql`select gen, record_hash from identity_log where user_id = ${ann.userId} order by index`;
    expect(logged.map(({ gen }) => gen)).toEqual([0, 1]);
    expect(Buffer.from(logged[1]?.record_hash as Uint8Array)).toEqual(sha256(fromBase64(input.identity.record)));
    for (const person of [ann, bob]) {
      const seen = await person.api.conversations.get.query({ conversationId: room.id });
      expect(seen.rekeyRequired).toBe(true);
      const refused = await refusal(person.api.messages.send.mutate(await draft(person, room, 'too early')));
      expect(refused).toMatchObject({ code: 'CONFLICT', reason: 'rekey_required' });
    }
    for (const { accessToken } of [elsewhere, late]) {
      await using other = newProgram(server, { token: accessToken });
      expect(await refusal(other.api.users.me.query())).toMatchObject({ reason: 'session_revoked' });
    }
    const back = await stranger.api.auth.login.mutate({ login: ann.username, password: ann.password });
    expect(back.account).toMatchObject({ identity: { gen: 1 }, keyring: input.keyring });
  });

  test('of two at once, one wins, and the other is told that its past is not the newest', async () => {
    await using ann = await newComer(server, 'ann');
    const both = await Promise.all([nextKeys(ann), nextKeys(ann)]);
    const results = await Promise.allSettled(both.map(({ input }) => ann.api.keys.rotateIdentity.mutate(input)));
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(lost).toHaveLength(1);
    expect(await refusal(Promise.reject(lost[0]))).toMatchObject({ code: 'CONFLICT', reason: 'identity_stale' });
    expect(await ann.api.keys.identities.query({ userIds: [ann.userId] })).toHaveLength(2);
  });

  test('[P30] not by a thief of the token, not for somebody else, not as a reset, not without proof of the password', async () => {
    await using ann = await newComer(server, 'ann');
    await using eve = await newComer(server, 'eve');
    const rotate = async (input: Parameters<typeof ann.api.keys.rotateIdentity.mutate>[0]) =>
      refusal(ann.api.keys.rotateIdentity.mutate(input));
    const bad = (reason: string) => ({ code: 'BAD_REQUEST', reason });
    expect(await rotate((await nextKeys(ann, { by: eve })).input)).toMatchObject(bad('bad_signature'));
    expect(await rotate((await nextKeys(eve)).input)).toMatchObject(bad('bad_format'));
    expect(await rotate((await nextKeys(ann, { kind: 'reset' })).input)).toMatchObject(bad('bad_format'));
    expect(await rotate((await nextKeys(ann, { gen: 2 })).input)).toMatchObject({ reason: 'identity_stale' });
    const { input } = await nextKeys(ann);
    const swapped = { ...input.identity, selfSig: (await nextKeys(ann)).input.identity.selfSig };
    expect(await rotate({ ...input, identity: swapped })).toMatchObject(bad('bad_signature'));
    expect(await rotate({ ...input, currentPassword: newAuthSecret() })).toMatchObject({
      reason: 'invalid_credentials',
    });
    expect(await ann.api.keys.identities.query({ userIds: [ann.userId] })).toHaveLength(1);
  });

  test('what is sealed for the person alone goes along, or nothing goes', async () => {
    await using ann = await newComer(server, 'ann');
    await ann.api.keys.settings.mutate({ version: 1, data: bytes(48) });
    const { input } = await nextKeys(ann);
    expect(await refusal(ann.api.keys.rotateIdentity.mutate(input))).toMatchObject({ reason: 'settings_stale' });
    const settings = { version: 2, data: bytes(48) };
    await ann.api.keys.rotateIdentity.mutate({ ...input, settings });
    const { account } = await stranger.api.auth.login.mutate({ login: ann.username, password: ann.password });
    expect(account.settings).toEqual(settings);
  });
});

describe('[C62] a forgotten password, with the recovery key', () => {
  test('opens the other lock, sets new ones, and ends every session', async () => {
    await using ann = await newComer(server, 'ann');
    const recoveryProof = await withRecovery(ann);
    const login = ann.username.toUpperCase();
    const opened = await stranger.api.keys.openRecovery.mutate({ login, recoveryProof });
    expect(opened).toMatchObject({ userId: ann.userId, identity: { gen: 0 } });
    const locks = newLocks();
    const back = await stranger.api.keys.recover.mutate({ login, recoveryProof, ...locks });
    expect(back.account.wrappedMasterKey.password).toBe(locks.wrappedMasterKey.password);
    expect(await refusal(ann.api.users.me.query())).toMatchObject({ reason: 'session_revoked' });
    await using again = newProgram(server, { token: back.accessToken });
    expect((await again.api.users.me.query()).id).toBe(ann.userId);
    // The key was good for once.
    expect(await refusal(stranger.api.keys.openRecovery.mutate({ login, recoveryProof }))).toMatchObject({
      reason: 'invalid_credentials',
    });
    const old = stranger.api.auth.login.mutate({ login, password: ann.password });
    expect(await refusal(old)).toMatchObject({ reason: 'invalid_credentials' });
    await stranger.api.auth.login.mutate({ login, password: locks.password });
  });

  test('[C69] is answered again when the answer was lost, to nobody but who knows the new locks and the new password', async () => {
    await using ann = await newComer(server, 'ann');
    const login = ann.username;
    const proof = { login, recoveryProof: await withRecovery(ann) };
    const locks = newLocks();
    const first = await stranger.api.keys.recover.mutate({ ...proof, ...locks });
    const refused = [
      { ...proof, ...locks, password: newAuthSecret() },
      { ...proof, ...locks, recoveryVerifier: bytes(32) },
      { ...proof, ...newLocks() },
      { ...proof, ...newLocks(), login: 'nobody-of-that-name' },
    ];
    const answers = new Set<string>();
    for (const input of refused) {
      const response = await fetch(`${server.url}/trpc/keys.recover`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...input, session: 'token' }),
      });
      answers.add(`${response.status} ${await response.text()}`);
    }
    expect([...answers]).toEqual([expect.stringMatching(/^401 .*invalid_credentials/)]);
    const again = await stranger.api.keys.recover.mutate({ ...proof, ...locks });
    await using lost = newProgram(server, { token: first.accessToken });
    expect(await refusal(lost.api.users.me.query())).toMatchObject({ reason: 'session_revoked' });
    await using back = newProgram(server, { token: again.accessToken });
    expect((await back.api.users.me.query()).id).toBe(ann.userId);
    expect(again.account).toEqual(first.account);
  });

  test('[P25] a wrong key and an unknown login are answered the same; guessing is limited', async () => {
    await using limited = await newServer({ env: { RATE_LIMITS: 'on' } });
    await using ann = await newComer(limited, 'ann');
    const attempt = async (path: string, input: object) => {
      const response = await fetch(`${limited.url}/trpc/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(input),
      });
      return `${response.status} ${await response.text()}`;
    };
    for (const [path, input] of [
      ['keys.openRecovery', { recoveryProof: bytes(32) }],
      ['keys.requestCode', { purpose: 'reset' }],
      ['keys.beginReset', { code: '1234567890' }],
    ] as const) {
      const known = await attempt(path, { ...input, login: ann.username });
      expect(known).toBe(await attempt(path, { ...input, login: 'nobody-of-that-name' }));
      if (path === 'keys.openRecovery') expect(known).toMatch(/^401 .*invalid_credentials/);
    }
    const guess = () => attempt('keys.openRecovery', { login: ann.username, recoveryProof: bytes(32) });
    const answers = [];
    for (let i = 0; i < 10; i++) answers.push(await guess());
    expect(answers.at(-1)).toMatch(/^429 .*rate_limited/);
  });
});

describe('[C65] everything lost but the mailbox: a reset', () => {
  test('with a code: new keys that nothing vouches for, and what was sealed for the old ones goes', async () => {
    await using ann = await newComer(server, 'ann');
    await using bob = await newComer(server, 'bob');
    const room = await newDirect(ann, bob);
    await ann.api.keys.settings.mutate({ version: 1, data: bytes(48) });
    const code = await issueCode(server.deps, { userId: ann.userId, purpose: 'reset' });
    const login = ann.username;
    const begun = await stranger.api.keys.beginReset.mutate({ login, code });
    expect(begun.identity.record).toBe(toBase64(ann.signed.record));
    const { input } = await nextKeys(ann, { kind: 'reset' });
    const { password, kdf } = newLocks();
    const reset = () => stranger.api.keys.reset.mutate({ login, code, password, kdf, ...input });
    const back = await reset();
    expect(back.account).toMatchObject({ identity: { gen: 1, prevSig: null }, settings: null, keyring: input.keyring });
    expect(await refusal(ann.api.users.me.query())).toMatchObject({ reason: 'session_revoked' });
    expect((await bob.api.conversations.get.query({ conversationId: room.id })).rekeyRequired).toBe(true);
    // The code was good for once; the same reset once more, because its answer was lost, is no second one.
    const other = { ...(await nextKeys(ann, { kind: 'reset' })).input, password, kdf };
    const refused = { code: 'FORBIDDEN', reason: 'invalid_code' };
    expect(await refusal(stranger.api.keys.reset.mutate({ login, code, ...other }))).toMatchObject(refused);
    const guess = { login, code, kdf, ...input, password: newAuthSecret() };
    expect(await refusal(stranger.api.keys.reset.mutate(guess))).toMatchObject(refused);
    await using after = newProgram(server, { token: (await reset()).accessToken });
    expect(await after.api.keys.identities.query({ userIds: [ann.userId] })).toHaveLength(2);
  });

  test('the operator can vouch for somebody: the command prints a code that works', async () => {
    await using ann = await newComer(server, 'ann');
    const env = { ...process.env, DATABASE_URL: server.db.url, DATA_DIR: server.deps.env.dataDir };
    const args = ['--import', 'tsx', 'src/server/account-code-cli.ts', ann.username, 'reset'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, env });
    expect(stdout).toMatch(/^\d{5}-\d{5}\n$/);
    const begun = await stranger.api.keys.beginReset.mutate({ login: ann.username, code: stdout.trim() });
    expect(begun.userId).toBe(ann.userId);
  });

  test('a code is good for one purpose, five attempts and fifteen minutes', async () => {
    let now = Date.now();
    await using clock = await newServer({ now: () => now });
    await using ann = await newComer(clock, 'ann');
    await using program = newProgram(clock);
    const begin = (code: string) => program.api.keys.beginReset.mutate({ login: ann.username, code });
    const issue = (purpose: 'reset' | 'unlock') => issueCode(clock.deps, { userId: ann.userId, purpose });
    const invalid = { code: 'FORBIDDEN', reason: 'invalid_code' };
    expect(await refusal(begin(await issue('unlock')))).toMatchObject(invalid);
    const guessed = await issue('reset');
    const wrong = guessed.startsWith('1') ? `2${guessed.slice(1)}` : `1${guessed.slice(1)}`;
    for (let i = 0; i < 5; i++) expect(await refusal(begin(wrong))).toMatchObject(invalid);
    expect(await refusal(begin(guessed))).toMatchObject(invalid);
    const code = await issue('reset');
    // Right ones cost nothing, however they are written.
    for (let i = 0; i < 6; i++) await begin(code.replace('-', ' '));
    now += 16 * 60_000;
    expect(await refusal(begin(code))).toMatchObject(invalid);
    const { rows } = { rows: await clock.db.sql`select hash from account_codes` };
    for (const { hash } of rows)
      expect(Buffer.from(hash as Uint8Array)).not.toEqual(sha256(Buffer.from(code.replace('-', ''))));
  });
});
