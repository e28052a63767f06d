/**
 * What a browser tells of messages while nobody looks: a push service of our own takes the pushes, and Chromium hands them to
 * the real service worker. Only `subscribe()` is stood in for, because it asks the vendor's push service.
 */
import type { Browser, CDPSession, Page, Worker } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Chat } from '#client/index';
import { must } from '#lib/must';
import type { PushPayload } from '#protocol/push';
import { newPushService, type PushBrowser, type PushService } from '../harness/push-endpoint.ts';
import { violations } from './axe.ts';
import { launch } from './browser.ts';
import { Person } from './person.ts';
import { newProgram } from './plaintext.ts';
import { newSite, type Site } from './site.ts';

let browser: Browser;
let site: Site;
let pushes: PushService;
let device: PushBrowser;
let ann: Person;
/** Without a browser. */
let bo: Chat;
let direct: string;
let group: string;
/** An empty page: the browser lives on when Ann has closed hers. */
let outside: Page;
let devtools: CDPSession;
let registrationId: string;
let worker: Worker;

beforeAll(async () => {
  [browser, site, pushes] = await Promise.all([launch(), newSite(), newPushService()]);
  device = pushes.newBrowser();
  ann = await Person.at(browser, site.url, 'Anneke', { permissions: ['notifications'] });
  await ann.page.context().addInitScript(standIn, device.subscription);
  bo = newProgram(site.url);
  const profile = { username: 'bogumil', email: 'bogumil@example.org', displayName: 'Bogumil' };
  await Promise.all([ann.register(), bo.register({ ...profile, password: 'correct horse battery' })]);
  const [found] = await bo.api.users.search.query({ query: 'anneke' });
  const { id } = must(found, 'just registered');
  direct = await bo.createDirect(id);
  group = await bo.createGroup('Plans', [id]);
  bo.send(direct, { text: 'good morning' });
  bo.send(group, { text: 'who is in?' });
});
afterAll(async () => {
  await bo?.close();
  await browser?.close();
  await pushes?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

// One story: each test goes on where the one before it ended, and is skipped when that one failed.
let broken = false;
beforeEach((context) => {
  if (broken) context.skip('a test before it failed');
  context.onTestFailed(() => {
    broken = true;
  });
});

/** Runs in the page, before anything of it. */
function standIn(subscription: PushBrowser['subscription']): void {
  let current: unknown = null;
  const made = {
    endpoint: subscription.endpoint,
    options: { applicationServerKey: null },
    toJSON: () => subscription,
    async unsubscribe() {
      current = null;
      return true;
    },
  };
  const stand = { subscribe: async () => (current = made), getSubscription: async () => current };
  if ('PushManager' in globalThis) Object.assign(PushManager.prototype, stand);
}

async function leaveThePage(): Promise<void> {
  await ann.page.close();
}
/** To a page that has nothing but its scripts yet. */
async function beginToComeBack(path = '/'): Promise<void> {
  ann = new Person(ann.name, await outside.context().newPage(), ann.complaints);
  await ann.page.goto(path, { waitUntil: 'domcontentloaded' });
}
async function comeBack(path?: string): Promise<void> {
  await beginToComeBack(path);
  await ann.conversations.waitFor({ state: 'attached' });
}

/** What the push service has got, and no more than that, goes to the service worker. */
async function nextPush(after: number): Promise<PushPayload> {
  await expect.poll(() => device.received.length).toBe(after + 1);
  const { payload } = must(device.received.at(-1), 'counted');
  await deliver(payload);
  return payload;
}
const deliver = (payload: PushPayload) =>
  devtools.send('ServiceWorker.deliverPushMessage', {
    origin: `${site.url}/`,
    registrationId,
    data: JSON.stringify(payload),
  });

const shown = () =>
  worker.evaluate(async () => {
    const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration };
    const notifications = await registration.getNotifications();
    return notifications.map(({ title, body, tag }) => ({ title, body, tag }));
  });
async function shows(...expected: { title: string; body: string }[]): Promise<void> {
  await expect.poll(shown).toEqual(expected.map((one) => expect.objectContaining(one)));
}

describe.sequential('notifications', () => {
  test('are offered in one line and in the settings; nothing asks before a click', async () => {
    const { page } = ann;
    await ann.conversations.getByRole('link', { name: /Plans/ }).waitFor();
    const offer = page.getByRole('region', { name: 'Offer of notifications' });
    await offer.getByText('Know when somebody writes').waitFor();
    expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
    expect(await violations(page)).toEqual([]);
    await offer.getByRole('button', { name: 'Turn on notifications' }).click();
    await offer.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: /Settings of/ }).click();
    await page.getByRole('switch', { name: 'New messages', checked: true }).waitFor();
    const [row] = await site.db.sql`select endpoint from push_subscriptions`;
    expect(row).toEqual({ endpoint: device.subscription.endpoint });

    worker = must(page.context().serviceWorkers()[0], 'registered');
    outside = await page.context().newPage();
    devtools = await page.context().newCDPSession(outside);
    const known = new Promise<string>((done) =>
      devtools.on(
        'ServiceWorker.workerRegistrationUpdated',
        ({ registrations: [one] }) => one && done(one.registrationId),
      ),
    );
    await devtools.send('ServiceWorker.enable');
    registrationId = await known;
  });

  test('a page that nobody looks at tells by itself; what is read is told no longer', async () => {
    // Under remote control every page says that it has the focus, unless it is told to be honest.
    const control = await ann.page.context().newCDPSession(ann.page);
    await control.send('Emulation.setFocusEmulationEnabled', { enabled: false });
    await outside.bringToFront();
    await expect.poll(() => ann.page.evaluate(() => document.hasFocus())).toBe(false);
    bo.send(group, { text: 'the lake on Saturday?' });
    await shows({ title: 'Bogumil in Plans', body: 'the lake on Saturday?' });
    await control.send('Emulation.setFocusEmulationEnabled', { enabled: true });
    await ann.page.goto(`/c/${group}`);
    await shows();
    expect(device.received).toEqual([]);
  });

  test('[P19][P29] with the page closed a message is told once, in words that nobody on the way could read', async () => {
    await leaveThePage();
    bo.send(group, { text: 'bring the blue towels' });
    const payload = await nextPush(0);
    await shows({ title: 'Bogumil in Plans', body: 'bring the blue towels' });
    for (const seen of [must(device.received[0], 'just polled').text, site.logs()])
      expect(seen).not.toContain('towels');
    await deliver(payload);
    bo.send(group, { text: 'and something to eat' });
    await nextPush(1);
    await shows({ title: 'Bogumil in Plans', body: 'bring the blue towels\nand something to eat' });
    await deliver(payload);
    bo.send(direct, { text: 'only for you' });
    await nextPush(2);
    await expect.poll(async () => (await shown()).length).toBe(2);
    expect(await shown()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ title: 'Bogumil', body: 'only for you', tag: direct }),
        expect.objectContaining({ body: 'bring the blue towels\nand something to eat', tag: group }),
      ]),
    );
  });

  test('[P30] what does not pass its checks, or cannot be opened here, is a new message and no more', async () => {
    const { payload } = must(device.received.at(-1), 'of the test before');
    const messageId = '019a0000-0000-7000-8000-000000000001';
    // The words of one message under the name of another.
    await deliver({ ...payload, conversationId: group, messageId });
    const { contentEncrypted: _, ...large } = payload;
    await deliver({ ...large, messageId: '019a0000-0000-7000-8000-000000000002' });
    const bodies = async () => (await shown()).map(({ body }) => body).sort();
    await expect
      .poll(bodies)
      .toEqual([
        '2 new messages\nonly for you',
        '3 new messages\nBogumil: bring the blue towels\nBogumil: and something to eat',
      ]);
  });

  test('a click opens the conversation in the page that is there, also while that is being loaded', async () => {
    await beginToComeBack();
    await worker.evaluate(async (tag) => {
      const scope = globalThis as unknown as {
        registration: ServiceWorkerRegistration;
        NotificationEvent: typeof Event;
      };
      const [notification] = await scope.registration.getNotifications({ tag });
      dispatchEvent(new scope.NotificationEvent('notificationclick', { notification } as EventInit));
    }, direct);
    await ann.page.getByRole('heading', { name: 'Bogumil', level: 2 }).waitFor();
    await ann.sees('only for you');
    await expect.poll(async () => (await shown()).filter(({ tag }) => tag === direct)).toEqual([]);
  });

  test('a muted conversation is quiet everywhere: no push, no notification, no number in the title', async () => {
    const { page } = ann;
    await ann.open('Plans');
    await page.getByRole('button', { name: 'People' }).click();
    await page.getByRole('button', { name: 'Mute', exact: true }).click();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('menuitem', { name: 'Until I turn it on again' }).click();
    await page.getByRole('button', { name: /^Muted/ }).waitFor();
    await page.keyboard.press('Escape');
    await page.goto('/settings');
    await ann.conversations.getByRole('link', { name: /Plans muted/ }).waitFor();
    bo.send(group, { text: 'is anybody there?' });
    await ann.conversations.getByRole('link', { name: /Plans muted.* 1 unread/ }).waitFor();
    expect(await page.title()).toBe('Parley');
    expect(await violations(page)).toEqual([]);
    await leaveThePage();
    bo.send(group, { text: 'hello?' });
    bo.send(direct, { text: 'they do not hear me over there' });
    const before = device.received.length;
    expect((await nextPush(before)).conversationId).toBe(direct);
    await shows({ title: 'Bogumil', body: 'they do not hear me over there' });
  });

  test('who logs out takes everything along: no subscription, no notification, nothing that could be opened', async () => {
    await comeBack('/settings');
    await ann.page.getByRole('button', { name: 'Log out' }).click();
    await ann.page.getByRole('alertdialog').getByRole('button', { name: 'Log out' }).click();
    await ann.page.getByRole('button', { name: 'Log in' }).first().waitFor();
    await shows();
    // With its session it counts no more; the sweep removes the row.
    const live = () =>
      site.db.sql`select 1 from push_subscriptions s join sessions x on x.id = s.session_id where x.revoked_at is null`;
    await expect.poll(live).toEqual([]);
    await leaveThePage();
    await deliver(must(device.received.at(-1), 'of the test before').payload);
    await shows({ title: 'Parley', body: 'New message' });
    expect(ann.complaints).toEqual([]);
  });
});
