/** Who may subscribe to pushes, and to where the server may be sent by it. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LIMITS } from '#protocol/limits';
import { checkEndpointUrl, requirePublicEndpoint } from '#server/domain/push-endpoint';
import { newDirect, newUser } from '../harness/people.ts';
import { refusal } from '../harness/program.ts';
import { newPushService, type PushService } from '../harness/push-endpoint.ts';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
let pushes: PushService;
beforeAll(async () => {
  server = await newServer();
  pushes = await newPushService();
});
afterAll(async () => {
  await pushes[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
const rows = (endpoint: string) =>
  server.db.sql`select user_id, session_id, p256dh from push_subscriptions where endpoint = ${endpoint}`;

describe('push subscriptions', () => {
  test('a browser subscribes with what it has, once; another account of it takes it over; only its owner ends it', async () => {
    const [ann, bob] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob')]);
    expect((await ann.api.push.publicKey.query()).publicKey).toMatch(/^[\w-]{87}$/);
    const { subscription } = pushes.newBrowser();
    const { endpoint } = subscription;
    await ann.api.push.subscribe.mutate(subscription);
    expect(await ann.api.push.subscribe.mutate(subscription)).toEqual({ success: true });
    expect(await rows(endpoint)).toMatchObject([{ user_id: ann.userId, session_id: ann.sessionId }]);
    await bob.api.push.unsubscribe.mutate({ endpoint });
    expect(await rows(endpoint)).toHaveLength(1);
    const fresh = { ...pushes.newBrowser().subscription, endpoint };
    await bob.api.push.subscribe.mutate(fresh);
    expect(await rows(endpoint)).toMatchObject([{ user_id: bob.userId, p256dh: fresh.keys.p256dh }]);
    await bob.api.push.unsubscribe.mutate({ endpoint });
    expect(await rows(endpoint)).toEqual([]);
  });

  test('[P26] keys and endpoints that cannot be are refused', async () => {
    const ann = await newUser(server, 'ann');
    const { subscription } = pushes.newBrowser();
    const call = (change: object) => refusal(ann.api.push.subscribe.mutate({ ...subscription, ...change }));
    const { keys } = subscription;
    for (const change of [
      { endpoint: 'ftp://example.org/x' },
      { endpoint: `https://example.org/${'x'.repeat(1_000)}` },
      { keys: { ...keys, auth: 'c2hvcnQ' } },
      { keys: { ...keys, p256dh: `${keys.p256dh}AA` } },
    ])
      expect(await call(change)).toMatchObject({ code: 'BAD_REQUEST', reason: 'invalid_input' });
    const noPoint = Buffer.concat([Buffer.from([4]), randomBytes(64)]).toString('base64url');
    expect(await call({ keys: { ...keys, p256dh: noPoint } })).toMatchObject({ reason: 'bad_format' });
    expect(await call({ endpoint: 'http://me:secret@127.0.0.1/' })).toMatchObject({ reason: 'push_endpoint_refused' });
  });

  test('a person has so many browsers at most; the oldest make room', async () => {
    const ann = await newUser(server, 'ann');
    const browsers = Array.from({ length: LIMITS.pushSubscriptions + 2 }, () => pushes.newBrowser().subscription);
    for (const browser of browsers) await ann.api.push.subscribe.mutate(browser);
    const left = await server.db.sql`select endpoint from push_subscriptions where user_id = ${ann.userId}`;
    expect(left.map(({ endpoint }) => endpoint).sort()).toEqual(
      browsers
        .slice(2)
        .map(({ endpoint }) => endpoint)
        .sort(),
    );
  });

  test.each([
    'http://push.example.org/x',
    'https://127.0.0.1/x',
    'https://10.1.2.3/x',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/x',
    'https://[fd00::1]/x',
    'https://[::ffff:192.168.1.1]/x',
    'https://[64:ff9b::a00:1]/x',
    'https://[::127.0.0.1]/x',
    'https://[::ffff:0:127.0.0.1]/x',
    'https://[fec0::1]/x',
    'https://[2001:0:1:2:3:4:80ff:fffe]/x',
    'https://[2001:db8::1]/x',
    'https://[2002:a00:1::]/x',
    'https://192.0.2.1/x',
    'https://192.88.99.1/x',
    'https://198.51.100.1/x',
    'https://203.0.113.1/x',
    'https://240.0.0.1/x',
    'https://2130706433/x',
    'https://localhost/x',
  ])('[P26] a public server is sent to no address inside: %s', async (endpoint) => {
    await expect(requirePublicEndpoint(endpoint, false)).rejects.toMatchObject({ reason: 'push_endpoint_refused' });
  });

  test('public addresses pass', () => {
    expect(checkEndpointUrl('https://1.1.1.1/x', false).hostname).toBe('1.1.1.1');
    expect(checkEndpointUrl('https://[2606:4700::1111]/x', false).hostname).toBe('[2606:4700::1111]');
  });

  test('[P26] on the machine of one who tries it out its own push service may be there too, and nothing else inside', async () => {
    const asked = (endpoint: string) =>
      requirePublicEndpoint(endpoint, true).then(
        () => 'passes',
        (error: unknown) => (error as { reason?: string }).reason,
      );
    for (const own of ['http://127.0.0.1:9/x', 'http://[::1]:9/x', 'http://localhost:9/x', 'https://1.1.1.1/x'])
      expect([own, await asked(own)]).toEqual([own, 'passes']);
    for (const inside of [
      'http://1.1.1.1/x',
      'https://10.1.2.3/x',
      'http://169.254.169.254/latest',
      'https://[fd00::1]/x',
    ])
      expect([inside, await asked(inside)]).toEqual([inside, 'push_endpoint_refused']);
  });

  test('[P21] only who is in a conversation mutes it, and the others see nothing of it', async () => {
    const [ann, bob, eve] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob'), newUser(server, 'eve')]);
    const { id: conversationId } = await newDirect(ann, bob);
    const until = '2999-01-01T00:00:00.000Z';
    expect(await refusal(eve.api.conversations.mute.mutate({ conversationId, until }))).toMatchObject({
      reason: 'not_found',
    });
    await ann.api.conversations.mute.mutate({ conversationId, until });
    const seenBy = async (person: typeof ann) =>
      (await person.api.conversations.get.query({ conversationId })).mutedUntil;
    expect([await seenBy(ann), await seenBy(bob)]).toEqual([until, null]);
    expect((await ann.api.conversations.list.query()).conversations[0]?.mutedUntil).toBe(until);
    await ann.api.conversations.mute.mutate({ conversationId, until: '2001-01-01T00:00:00Z' });
    expect(await seenBy(ann)).toBeNull();
  });
});
