/** Subscriptions over plain HTTP (server-sent events): the same procedures, the same limits, and their end is noticed. */
import { expect, test } from 'vitest';
import { newDirect, newUser, send } from '../harness/people.ts';
import { newServer } from '../harness/server.ts';

test('[P23] the stream ends with its session, and with its token', async () => {
  await using server = await newServer({ env: { ACCESS_TOKEN_TTL: '5' } });
  const [me, you] = [await newUser(server), await newUser(server)];
  const listen = async (token: string | null) => {
    const response = await fetch(`${server.url}/trpc/feed.follow?input=${encodeURIComponent('{}')}`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    });
    return response.text();
  };
  const [revoked, expired] = [listen(me.token), listen(you.token)];
  const running = async () => (await server.deps.metrics.subscriptions.get()).values[0]?.value;
  await expect.poll(running).toBe(2);
  await me.api.auth.logout.mutate();
  expect(await revoked).toContain('session_revoked');
  expect(await expired).toContain('token_expired');
  expect(await running()).toBe(0);
});

test('[P23] a stream whose session ends while it is just beginning ends too', async () => {
  await using server = await newServer();
  const me = await newUser(server);
  const { hub } = server.deps;
  const now = hub.now.bind(hub);
  let goOn: (() => void) | undefined;
  hub.now = async () => {
    await new Promise<void>((resolve) => (goOn = resolve));
    return now();
  };
  const stream = fetch(`${server.url}/trpc/feed.follow?input=${encodeURIComponent('{}')}`, {
    headers: { authorization: `Bearer ${me.token}`, accept: 'text/event-stream' },
  }).then((response) => response.text());
  await expect.poll(() => goOn).toBeDefined();
  await me.api.auth.logout.mutate();
  goOn?.();
  expect(await stream).toContain('session_revoked');
});

test('[P9] feed.follow over server-sent events gives live messages, and is over when the caller goes', async () => {
  await using server = await newServer();
  const [me, you] = [await newUser(server), await newUser(server)];
  const room = await newDirect(me, you);
  const leave = new AbortController();
  const response = await fetch(`${server.url}/trpc/feed.follow?input=${encodeURIComponent('{}')}`, {
    headers: { authorization: `Bearer ${me.token}`, accept: 'text/event-stream' },
    signal: leave.signal,
  });
  expect(response.status).toBe(200);
  let text = '';
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) text += decoder.decode(chunk);
  })().catch(() => {});
  await expect.poll(() => text).toContain('"live"');
  const message = await send(you, room, 'over http');
  await expect.poll(() => text).toContain(message.id);
  const running = async () => (await server.deps.metrics.subscriptions.get()).values[0]?.value;
  expect(await running()).toBe(1);
  leave.abort();
  await reading;
  await expect.poll(running).toBe(0);
});
