/** A browser whose connection goes: what is written waits, can be changed, survives the tab, and goes out once and in order. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Chat } from '#client/index';
import { must } from '#lib/must';
import { stored, textsOf } from '../client/people.ts';
import { newWire, type Wire } from '../client/wire.ts';
import { violations } from './axe.ts';
import { launch } from './browser.ts';
import { Person } from './person.ts';
import { newProgram, wrote } from './plaintext.ts';
import { newSite, type Site } from './site.ts';

/** As in web/connection-banner.tsx: whoever was away for less knows what he missed, and is told nothing. */
const WORTH_TELLING_MS = 5_000;

let browser: Browser;
let site: Site;
/** Between the browser and the server. */
let wire: Wire;
let ann: Person;
/** The other one, without a browser, on a connection that holds. */
let bo: Chat;
let direct: string;

beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), newSite()]);
  wire = await newWire(site.url);
  ann = await Person.at(browser, wire.url, 'Annika');
  bo = newProgram(site.url);
  const profile = { username: 'bogdan', email: 'bogdan@example.org', displayName: 'Bogdan' };
  await Promise.all([ann.register(), bo.register({ ...profile, password: 'correct horse battery' })]);
  const [found] = await bo.api.users.search.query({ query: 'annika' });
  direct = await bo.createDirect(must(found, 'just registered').id);
  await bo.open(direct);
  bo.send(direct, { text: 'tell me when you are out of the tunnel' });
  await ann.open('Bogdan');
  await ann.sees('out of the tunnel');
});
afterAll(async () => {
  await bo?.close();
  await browser?.close();
  await wire?.[Symbol.asyncDispose]();
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

/** A new tab of the same browser. */
async function newTab(of: Person): Promise<Person> {
  const page = await of.page.context().newPage();
  const tab = new Person(of.name, page, of.complaints);
  await page.goto(`/c/${direct}`);
  await tab.sees('out of the tunnel');
  return tab;
}
/** Nothing that could send is left when the connection is back. */
async function closedAndReopened(who: Person): Promise<Person> {
  // A browser lives as long as it has a page.
  const blank = await who.page.context().newPage();
  await who.page.close();
  wire.up();
  const tab = await newTab(new Person(who.name, blank, who.complaints));
  await blank.close();
  return tab;
}
const gone = async (who: Person) => {
  wire.down();
  await who.page.getByText('No connection.').waitFor();
};
const back = async (who: Person) => {
  wire.up();
  // It may reconnect by itself just before the button is hit.
  await who.page
    .getByRole('button', { name: 'Try now' })
    .click({ timeout: 1_000 })
    .catch(() => {});
  await who.page.getByText('No connection.').waitFor({ state: 'detached' });
};
const heard = () => textsOf(bo, direct);
const rows = (who: Person) => who.log.getByRole('article').allInnerTexts();

describe.sequential('offline', () => {
  test('[P20] a tab is closed with five unsent messages and opened later: they go out once, in order', async () => {
    await gone(ann);
    const texts = ['dark', 'still dark', 'a light', 'daylight', 'out!'];
    for (const text of texts) await ann.send(text);
    await ann.tick('out!', 'Waiting to be sent').waitFor();
    await ann.conversations.getByRole('img', { name: 'Waiting to be sent' }).waitFor();
    expect(await violations(ann.page)).toEqual([]);
    ann = await closedAndReopened(ann);
    await expect.poll(heard).toEqual(['tell me when you are out of the tunnel', ...texts]);
    await ann.tick('out!', 'Delivered').waitFor();
  });

  test('while it waits a message is edited and cancelled, by keyboard', async () => {
    await gone(ann);
    await ann.send('meet at the south door');
    await ann.send('or not at all');
    await ann.act('or not at all', 'Do not send');
    await ann.message('or not at all').waitFor({ state: 'detached' });
    await ann.composer.focus();
    await ann.composer.press('ArrowUp');
    await ann.composer.fill(wrote('meet at the north door'));
    await ann.composer.press('Enter');
    await ann.sees('meet at the north door');
    expect(await ann.message('meet at').getByText('edited').count()).toBe(0);
    await back(ann);
    await expect.poll(heard).toContain('meet at the north door');
    expect(heard()).not.toContain('meet at the south door');
    expect(heard()).not.toContain('or not at all');
  });

  test('[P12] [P20] edited, deleted and reacted to offline: shown at once, and done after the tab was closed', async () => {
    await gone(ann);
    await ann.act('still dark', 'Edit');
    await ann.composer.fill(wrote('pitch dark'));
    await ann.composer.press('Enter');
    await ann.act('a light', 'Delete');
    await ann.page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await ann.act('out of the tunnel', 'React with 👍');
    await ann.message('pitch dark').getByRole('img', { name: 'Change waiting to be sent' }).waitFor();
    await ann.message('Message deleted').waitFor();
    await ann
      .message('out of the tunnel')
      .getByRole('button', { name: /^👍, 1: You/ })
      .waitFor();
    ann = await closedAndReopened(ann);
    await expect.poll(heard).toContain('pitch dark');
    await expect.poll(heard).toContain('<deleted>');
    await ann.message('pitch dark').getByText('edited').waitFor();
    await expect
      .poll(() => must(bo.store.getState().timelines[direct], 'open').ids.flatMap((id) => reactionsOf(id)))
      .toEqual(['👍']);
  });

  test('[P3] two tabs show the same; the one that wrote is closed, the other delivers', async () => {
    const other = await newTab(ann);
    await gone(ann);
    await ann.send('from the first tab');
    await other.tick('from the first tab', 'Waiting to be sent').waitFor();
    await other.send('from the second tab');
    await ann.tick('from the second tab', 'Waiting to be sent').waitFor();
    expect(await rows(ann)).toEqual(await rows(other));
    await ann.page.close();
    ann = other;
    await back(ann);
    await expect.poll(() => heard().slice(-2)).toEqual(['from the first tab', 'from the second tab']);
    await ann.tick('from the first tab', 'Delivered').waitFor();
    expect(heard().filter((text) => text.startsWith('from the'))).toHaveLength(2);
  });

  test('what cannot be saved says why, and is retried, copied or thrown away', async () => {
    await ann.send('about to vanish');
    await ann.tick('about to vanish', 'Delivered').waitFor();
    await gone(ann);
    await ann.composer.press('ArrowUp');
    await ann.composer.fill(wrote('about to stay'));
    await ann.composer.press('Enter');
    const phone = newProgram(site.url);
    await phone.login({ login: 'annika', password: 'a walk along the river 7' });
    await phone.open(direct);
    const { ids } = must(phone.store.getState().timelines[direct], 'open');
    await phone.remove(direct, must(ids.at(-1), 'sent'));
    await phone.close();
    await back(ann);
    const alert = ann.page.getByRole('alert').filter({ hasText: 'Not changed.' });
    await alert.getByText('The message has been deleted in the meantime.').waitFor();
    await alert.getByRole('button', { name: 'Retry' }).click();
    await alert.getByText('The message has been deleted in the meantime.').waitFor();
    expect(await violations(ann.page)).toEqual([]);
    await alert.getByRole('button', { name: 'Discard' }).click();
    await alert.waitFor({ state: 'detached' });
    await ann.message('Message deleted').nth(1).waitFor();
  });

  test('[P17] the time of the next attempt is told, and news of a network does not wait for it', async () => {
    // The longest of all waits, so that none ends by chance.
    await ann.page.evaluate(() => {
      Math.random = () => 0.9999;
    });
    await gone(ann);
    await ann.page.getByText(/Reconnecting in [345] s/).waitFor();
    bo.send(direct, { text: 'are you still there?' });
    wire.up();
    await ann.page.evaluate(() => dispatchEvent(new Event('online')));
    await ann.page.getByText('No connection.').waitFor({ state: 'detached', timeout: 2_500 });
    await ann.sees('are you still there?');
  });

  test('after a longer absence it is said how much had been missed', async () => {
    await gone(ann);
    const longEnough = sleep(WORTH_TELLING_MS);
    const sent = Array.from({ length: 12 }, (_, n) => bo.send(direct, { text: `meanwhile ${n + 1}` }));
    await Promise.all(sent.map((id) => stored(bo, direct, id)));
    await longEnough;
    await back(ann);
    await ann.page.getByText('Caught up 12 messages.').waitFor();
    await ann.sees('meanwhile 12');
    expect(ann.complaints).toEqual([]);
  });
});

function reactionsOf(messageId: string): (string | null)[] {
  return (bo.store.getState().timelines[direct]?.byId.get(messageId)?.reactions ?? []).map(({ emoji }) => emoji);
}
