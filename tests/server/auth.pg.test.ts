/** Registration and log-in: what is demanded, what is stored, and what nobody can find out. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { uuidv7 } from 'uuidv7';
import { newPerson } from '../crypto/people.ts';
import { newProgram, type Program, refusal } from '../harness/program.ts';
import { newAuthSecret, newKdf, newRegistration, type Registration } from '../harness/registration.ts';
import { newServer, type TestServer } from '../harness/server.ts';
import { toBase64 } from '#crypto/verify';

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

const register = (input: Registration) => stranger.api.auth.register.mutate(input);
const countUsers = async () => (await server.db.sql`select count(*)::int as n from users`)[0]?.n;

describe('register', () => {
  test('gives a session whose tokens work', async () => {
    const input = await newRegistration('ada');
    const { user, accessToken, refreshToken, accessTokenExpiresAt } = await register(input);
    expect(user).toEqual({
      id: input.id,
      username: input.username,
      email: input.email,
      displayName: 'ada',
      avatarUrl: null,
      privacy: { receipts: true, presence: true, typing: true },
    });
    expect(refreshToken).toEqual(expect.any(String));
    const life = Date.parse(accessTokenExpiresAt) - Date.now();
    expect(life).toBeGreaterThan(800_000);
    expect(life).toBeLessThanOrEqual(900_000);
    await using me = newProgram(server, { token: accessToken });
    expect(await me.api.users.me.query()).toEqual(user);
    expect(await me.ws.users.me.query()).toEqual(user);
  });

  test('[P26] id, user name and e-mail are taken once, in any case of letters', async () => {
    const first = await newRegistration();
    await register(first);
    const again = async (change: Partial<Registration>) =>
      refusal(register({ ...(await newRegistration()), ...change }));
    const { id, identity } = first;
    expect(await again({ id, identity })).toMatchObject({ code: 'CONFLICT', httpStatus: 409, reason: 'user_id_taken' });
    expect(await again({ username: first.username.toUpperCase() })).toMatchObject({
      code: 'CONFLICT',
      reason: 'username_taken',
    });
    expect(await again({ email: first.email.toUpperCase() })).toMatchObject({
      code: 'CONFLICT',
      reason: 'email_taken',
    });
  });

  test('[P26] of many with the same name at once, one wins and nothing of the others stays', async () => {
    const before = await countUsers();
    const username = `same-${randomBytes(4).toString('hex')}`;
    const inputs = await Promise.all(Array.from({ length: 8 }, () => newRegistration()));
    const results = await Promise.allSettled(inputs.map((input) => register({ ...input, username })));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    expect(await countUsers()).toBe(before + 1);
    const [orphans] = await server.db.sql`
      select count(*)::int as n from user_identities i where not exists (select from users u where u.id = i.user_id)`;
    expect(orphans?.n).toBe(0);
  });

  test('[P29] a raw password is refused before anything is done with it', async () => {
    for (const password of ['correct horse battery staple', 'short', `${newAuthSecret()}x`, ` ${newAuthSecret()}`]) {
      const input = { ...(await newRegistration()), password };
      expect(await refusal(register(input))).toMatchObject({ code: 'BAD_REQUEST', reason: 'password_not_derived' });
    }
    expect(server.logs.join('')).not.toContain('correct horse');
  });

  test('[P30] the identity names this user, is the first, and is signed by its own key', async () => {
    const before = await countUsers();
    const input = await newRegistration();
    const withIdentity = (change: Partial<Registration['identity']>) =>
      refusal(register({ ...input, identity: { ...input.identity, ...change } }));
    const other = await newPerson({ userId: uuidv7() });
    const flip = (text: string, at: number) => {
      const bytes = Buffer.from(text, 'base64');
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return bytes.toString('base64');
    };
    const foreign = { record: toBase64(other.signed.record), selfSig: toBase64(other.signed.selfSig) };
    const bad = (reason: string) => ({ code: 'BAD_REQUEST', reason });
    expect(await withIdentity(foreign)).toMatchObject(bad('bad_format'));
    expect(await withIdentity({ record: Buffer.alloc(1_400).toString('base64') })).toMatchObject(bad('bad_format'));
    expect(await withIdentity({ record: 'not base64!' })).toMatchObject(bad('bad_format'));
    expect(await withIdentity({ selfSig: foreign.selfSig })).toMatchObject(bad('bad_signature'));
    const last = Buffer.from(input.identity.record, 'base64').length - 33;
    expect(await withIdentity({ record: flip(input.identity.record, last) })).toMatchObject(bad('bad_signature'));
    expect(await withIdentity({ kdf: { ...newKdf(), m: 1_024 } })).toMatchObject(bad('invalid_input'));
    expect(await withIdentity({ kdf: { ...newKdf(), salt: 'AAAA' } })).toMatchObject(bad('bad_format'));
    expect(await countUsers()).toBe(before);
  });

  test('[P26] every field is checked, and the issues say where', async () => {
    const input = await newRegistration();
    for (const [field, value] of [
      ['id', crypto.randomUUID()],
      ['username', 'a b'],
      ['username', 'x'],
      ['email', 'nobody'],
      ['displayName', 'x'.repeat(65)],
    ] as const) {
      const answer = await refusal(register({ ...input, [field]: value }));
      expect(answer).toMatchObject({ code: 'BAD_REQUEST', reason: 'invalid_input' });
      expect(answer.issues?.[0]?.path).toEqual([field]);
      expect(JSON.stringify(answer)).not.toContain(input.password);
    }
  });
});

describe('log in', () => {
  test('[P31] by user name or e-mail in any case, and gives back the sealed account as it was handed in', async () => {
    const input = await newRegistration();
    await register(input);
    for (const login of [input.username, input.username.toUpperCase(), ` ${input.email.toUpperCase()} `]) {
      expect((await stranger.api.auth.preLogin.query({ login })).kdf).toEqual(input.identity.kdf);
      const { account, user } = await stranger.api.auth.login.mutate({ login, password: input.password });
      expect(user.id).toBe(input.id);
      const { record, selfSig, kdf, keyring, wrappedMasterKey } = input.identity;
      expect(account).toEqual({
        identity: { gen: 0, record, selfSig, prevSig: null },
        kdf,
        keyring,
        wrappedMasterKey: { password: wrappedMasterKey.password },
        settings: null,
      });
    }
  });

  test('[P25] a wrong password and an unknown login are answered byte for byte the same', async () => {
    const input = await newRegistration();
    await register(input);
    const attempt = async (login: string) => {
      const response = await fetch(`${server.url}/trpc/auth.login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ login, password: newAuthSecret() }),
      });
      return `${response.status} ${await response.text()}`;
    };
    const wrong = await attempt(input.username);
    expect(wrong).toBe(await attempt('nobody-of-that-name'));
    expect(wrong).toBe(await attempt('nobody@example.org'));
    expect(wrong).toMatch(/^401 .*invalid_credentials/);
  });

  test('[P25] the parameters for an unknown login look like real ones and stay the same', async () => {
    const input = await newRegistration();
    await register(input);
    const real = await stranger.api.auth.preLogin.query({ login: input.username });
    const ask = () => stranger.api.auth.preLogin.query({ login: 'Nobody-At-All' });
    const pretended = await ask();
    expect(await ask()).toEqual(pretended);
    expect(await stranger.api.auth.preLogin.query({ login: 'nobody-at-all' })).toEqual(pretended);
    const shape = ({ kdf }: typeof real) => JSON.stringify({ ...kdf, salt: kdf.salt.length });
    expect(shape(pretended)).toBe(shape(real));
    await server.restart();
    expect(await ask()).toEqual(pretended);
  });
});

describe('what is kept', () => {
  test('[P25] [P29] neither database nor log holds a password, a token, or a sealed key as it came', async () => {
    const input = await newRegistration('kept');
    const { accessToken, refreshToken } = await register(input);
    const session = await stranger.api.auth.login.mutate({ login: input.username, password: input.password });
    await refusal(stranger.api.auth.login.mutate({ login: input.username, password: newAuthSecret() }));
    await refusal(register(input));
    const secrets = [
      input.password,
      accessToken,
      refreshToken ?? '',
      session.refreshToken ?? '',
      input.identity.wrappedMasterKey.password,
      input.identity.wrappedMasterKey.recovery,
      input.identity.keyring,
    ];
    const tables = await server.db.sql`select table_name as name from information_schema.tables
      where table_schema = 'public' and table_type = 'BASE TABLE'`;
    let dump = '';
    for (const { name } of tables)
      dump += JSON.stringify(await server.db.sql`select t::text as row from ${server.db.sql(String(name))} t`);
    const log = server.logs.join('');
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(20);
      const forms = [secret, Buffer.from(secret, 'base64').toString('hex'), Buffer.from(secret).toString('hex')];
      for (const form of forms) {
        expect(dump.includes(form), `database holds ${form.slice(0, 8)}`).toBe(false);
        expect(log.includes(form), `log holds ${form.slice(0, 8)}`).toBe(false);
      }
    }
    const [row] = await server.db.sql`select password_hash from users where id = ${input.id}`;
    expect(row?.password_hash).toMatch(/^\$2[aby]\$/);
  });
});

describe('keys of the account', () => {
  test('settings are compared and set; the same write again succeeds', async () => {
    const { accessToken } = await register(await newRegistration());
    await using me = newProgram(server, { token: accessToken });
    const data = randomBytes(48).toString('base64');
    const save = (version: number, value = data) => me.api.keys.settings.mutate({ version, data: value });
    expect(await save(1)).toEqual({ version: 1 });
    expect(await save(1)).toEqual({ version: 1 });
    expect(await refusal(save(1, randomBytes(48).toString('base64')))).toMatchObject({ reason: 'settings_stale' });
    expect(await refusal(save(3))).toMatchObject({ code: 'CONFLICT', reason: 'settings_stale' });
    expect(await save(2)).toEqual({ version: 2 });
  });

  test('a new password replaces only the wrap; other devices are signed out', async () => {
    const input = await newRegistration();
    const { accessToken } = await register(input);
    const elsewhere = await stranger.api.auth.login.mutate({ login: input.username, password: input.password });
    await using me = newProgram(server, { token: accessToken });
    const password = newAuthSecret();
    const change = (currentPassword: string) =>
      me.api.keys.changePassword.mutate({
        currentPassword,
        password,
        kdf: newKdf(),
        wrappedMasterKey: { password: randomBytes(104).toString('base64') },
      });
    expect(await refusal(change(newAuthSecret()))).toMatchObject({ code: 'FORBIDDEN', reason: 'invalid_credentials' });
    expect(await change(input.password)).toEqual({ success: true });
    const log = (secret: string) => stranger.api.auth.login.mutate({ login: input.username, password: secret });
    expect(await refusal(log(input.password))).toMatchObject({ code: 'UNAUTHORIZED' });
    expect((await log(password)).account.keyring).toBe(input.identity.keyring);
    await using other = newProgram(server, { token: elsewhere.accessToken });
    expect(await refusal(other.api.users.me.query())).toMatchObject({ reason: 'session_revoked' });
    expect((await me.api.users.me.query()).id).toBe(input.id);
  });
});
