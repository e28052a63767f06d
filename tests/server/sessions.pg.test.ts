/** Sessions: how they go on, and that they end everywhere at once. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { newProgram, type Program, refusal } from '../harness/program.ts';
import { newRegistration } from '../harness/registration.ts';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
let stranger: Program;
beforeAll(async () => {
  server = await newServer({ env: { ACCESS_TOKEN_TTL: '6' } });
  stranger = newProgram(server);
});
afterAll(async () => {
  await stranger[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function newAccount() {
  const input = await newRegistration();
  const { accessToken, refreshToken = '' } = await stranger.api.auth.register.mutate(input);
  const logIn = () => stranger.api.auth.login.mutate({ login: input.username, password: input.password });
  return { ...input, accessToken, refreshToken, logIn };
}
const refresh = (refreshToken: string) => stranger.api.auth.refresh.mutate({ refreshToken });
const as = (token: string) => newProgram(server, { token });

interface Watched {
  closed: Promise<{ code: number; frames: { error?: { data: { reason: string } } }[] }>;
  send(path: string, input?: unknown): void;
  close(): void;
}
/** A signed-in socket that tells how it ended. Resolves once the server has answered on it. */
function watch(token: string): Promise<Watched> {
  return new Promise((ready, fail) => {
    const socket = new WebSocket(`${server.wsUrl}?connectionParams=1`);
    const frames: { id?: number; error?: { data: { reason: string } } }[] = [];
    const send = (path: string, input?: unknown, method = 'mutation') =>
      socket.send(JSON.stringify({ id: frames.length + 1, method, params: { path, input } }));
    const closed = new Promise<Awaited<Watched['closed']>>((done) =>
      socket.on('close', (code) => done({ code, frames })),
    );
    socket.on('open', () => {
      socket.send(JSON.stringify({ method: 'connectionParams', data: { token } }));
      send('users.me', undefined, 'query');
    });
    socket.on('message', (data) => {
      frames.push(JSON.parse(String(data)));
      ready({ closed, send, close: () => socket.close() });
    });
    socket.on('error', fail);
  });
}

describe('refresh', () => {
  test('[P25] rotates and answers like log-in', async () => {
    const account = await newAccount();
    const next = await refresh(account.refreshToken);
    expect(next.user.id).toBe(account.id);
    expect(next.account.keyring).toBe(account.identity.keyring);
    expect(next.refreshToken).not.toBe(account.refreshToken);
    expect((await refresh(next.refreshToken ?? '')).user.id).toBe(account.id);
  });

  test('[P25] a spent token that comes back ends the whole family, access tokens included', async () => {
    const account = await newAccount();
    const next = await refresh(account.refreshToken);
    const reused = await refusal(refresh(account.refreshToken));
    expect(reused).toMatchObject({ code: 'UNAUTHORIZED', reason: 'refresh_reused' });
    expect(await refusal(refresh(next.refreshToken ?? ''))).toMatchObject({ reason: 'session_revoked' });
    await using thief = as(next.accessToken);
    expect(await refusal(thief.api.users.me.query())).toMatchObject({
      code: 'UNAUTHORIZED',
      reason: 'session_revoked',
    });
  });

  test('[P25] of many refreshes with one token at once, one is answered', async () => {
    const account = await newAccount();
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => refresh(account.refreshToken)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });

  test('[P25] other sessions of the same person are not touched', async () => {
    const account = await newAccount();
    const other = await account.logIn();
    await refresh(account.refreshToken);
    await refusal(refresh(account.refreshToken));
    await using still = as(other.accessToken);
    expect((await still.api.users.me.query()).id).toBe(account.id);
  });

  test('nonsense is refused', async () => {
    expect(await refusal(refresh('nonsense'))).toMatchObject({ code: 'UNAUTHORIZED', reason: 'not_signed_in' });
    expect(await refusal(stranger.api.auth.refresh.mutate({}))).toMatchObject({ code: 'UNAUTHORIZED' });
  });
});

describe('cookie', () => {
  async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${server.url}/trpc/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const [cookie = ''] = response.headers.getSetCookie();
    return { status: response.status, cookie, json: (await response.json()) as { result?: { data: object } } };
  }

  test('[P25] scripts and other sites cannot have it; it is not in the body', async () => {
    const { status, cookie, json } = await post('auth.register', { ...(await newRegistration()), session: 'cookie' });
    expect(status).toBe(200);
    expect(cookie).toMatch(/; Path=\/trpc; HttpOnly; SameSite=Strict$/);
    expect(json.result?.data).not.toHaveProperty('refreshToken');
    const sent = { cookie: cookie.split(';')[0] ?? '' };
    const crossSite = await post('auth.refresh', {}, { ...sent, 'sec-fetch-site': 'cross-site' });
    expect(crossSite.status).toBe(401);
    const foreign = await post('auth.refresh', {}, { ...sent, origin: 'https://evil.example' });
    expect(foreign.status).toBe(401);
    const own = await post('auth.refresh', {}, { ...sent, origin: server.url, 'sec-fetch-site': 'same-origin' });
    expect(own.status).toBe(200);
    expect(own.cookie).not.toBe(cookie);
    const out = await post('auth.logout', {}, { cookie: own.cookie.split(';')[0] ?? '' });
    expect(out.status).toBe(200);
    expect(out.cookie).toContain('Max-Age=0');
    expect((await post('auth.refresh', {}, { cookie: own.cookie.split(';')[0] ?? '' })).status).toBe(401);
  });

  test('[P25] another site cannot begin a session in the browser of somebody else', async () => {
    const input = { ...(await newRegistration()), session: 'cookie' };
    expect((await post('auth.register', input, { origin: 'https://evil.example' })).status).toBe(400);
  });
});

describe('ending', () => {
  test('[P23] revoking a device closes its sockets at once and refuses its token', async () => {
    const account = await newAccount();
    const other = await account.logIn();
    await using me = as(account.accessToken);
    const sessions = await me.api.auth.sessions.query();
    expect(sessions.map(({ current }) => current).sort()).toEqual([false, true]);
    const target = sessions.find(({ current }) => !current);
    const socket = await watch(other.accessToken);
    await me.api.auth.revokeSession.mutate({ sessionId: target?.id ?? '' });
    const { code, frames } = await socket.closed;
    expect(code).toBe(4401);
    expect(frames.at(-1)?.error?.data.reason).toBe('session_revoked');
    await using gone = as(other.accessToken);
    expect(await refusal(gone.api.users.me.query())).toMatchObject({ reason: 'session_revoked' });
    expect(await refusal(refresh(other.refreshToken ?? ''))).toMatchObject({ reason: 'session_revoked' });
    expect(await me.api.auth.sessions.query()).toHaveLength(1);
  });

  test('[P21] the session of somebody else does not exist', async () => {
    const [mine, theirs] = [await newAccount(), await newAccount()];
    await using me = as(mine.accessToken);
    await using them = as(theirs.accessToken);
    const [session] = await them.api.auth.sessions.query();
    const foreign = await refusal(me.api.auth.revokeSession.mutate({ sessionId: session?.id ?? '' }));
    const absent = await refusal(me.api.auth.revokeSession.mutate({ sessionId: crypto.randomUUID() }));
    expect(foreign).toMatchObject({ code: 'NOT_FOUND' });
    expect(foreign).toEqual(absent);
    expect(await them.api.auth.sessions.query()).toHaveLength(1);
  });

  test('[P23] log-out everywhere means everywhere', async () => {
    const account = await newAccount();
    const devices = [account, await account.logIn(), await account.logIn()];
    const sockets = await Promise.all(devices.map(({ accessToken }) => watch(accessToken)));
    await using me = as(account.accessToken);
    await me.api.auth.logoutAll.mutate();
    for (const socket of sockets) expect((await socket.closed).code).toBe(4401);
    for (const { accessToken } of devices) {
      await using gone = as(accessToken);
      expect(await refusal(gone.api.users.me.query())).toMatchObject({ reason: 'session_revoked' });
    }
  });

  test('[P23] what was revoked stays revoked across a restart', async () => {
    const account = await newAccount();
    await using me = as(account.accessToken);
    await me.api.auth.logout.mutate();
    await server.restart();
    expect(await refusal(me.api.users.me.query())).toMatchObject({ reason: 'session_revoked' });
  });

  test('[P23][W6] a socket ends with its token, and lives on with a newer one', async () => {
    const account = await newAccount();
    const [left, kept] = [await watch(account.accessToken), await watch(account.accessToken)];
    // The second half of its life: the next token ends later than this one.
    await new Promise((done) => setTimeout(done, 3_000));
    const next = await refresh(account.refreshToken);
    kept.send('auth.extend', { token: next.accessToken });
    const { code, frames } = await left.closed;
    expect(code).toBe(4401);
    expect(frames.at(-1)?.error?.data.reason).toBe('token_expired');
    let ended = false;
    void kept.closed.then(() => {
      ended = true;
    });
    await new Promise((done) => setTimeout(done, 1_000));
    expect(ended).toBe(false);
    expect((await kept.closed).code).toBe(4401);
  });

  test("[P23] a socket is not extended by somebody else's token", async () => {
    const [mine, theirs] = [await newAccount(), await newAccount()];
    const socket = await watch(mine.accessToken);
    socket.send('auth.extend', { token: theirs.accessToken });
    const { frames } = await socket.closed;
    expect(frames[1]?.error?.data.reason).toBe('not_signed_in');
  });
});
