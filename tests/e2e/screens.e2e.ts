/** The screens themselves: reachable without a mouse, readable by screen readers, usable on a phone, still while they scroll. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Chat } from '#client/index';
import { must } from '#lib/must';
import { violations } from './axe.ts';
import { launch } from './browser.ts';
import { Person } from './person.ts';
import { newProgram } from './plaintext.ts';
import { newSite, type Site } from './site.ts';

const PHONE = { width: 390, height: 844 };
const LINES = 130;

let browser: Browser;
let site: Site;
/** A person without a browser, who has written a lot. */
let rosa: Chat;
let dora: Person;

beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), newSite()]);
  dora = await Person.at(browser, site.url, 'Dorothea');
  rosa = newProgram(site.url);
  await Promise.all([
    dora.register(),
    rosa.register({
      username: 'rosa',
      email: 'rosa@example.org',
      displayName: 'Rosa Marchetti',
      password: 'correct horse battery',
    }),
  ]);
  const found = await rosa.api.users.search.query({ query: 'dorothea' });
  const direct = await rosa.createDirect(must(found[0], 'just registered').id);
  await rosa.open(direct);
  const long = 'It goes on for a while, so that not every row has the same height. ';
  for (let i = 1; i <= LINES; i++) rosa.send(direct, { text: `line ${i}. ${long.repeat(i % 4)}`.trim() });
  const group = await rosa.createGroup('Reading circle', [must(found[0], 'as above').id]);
  rosa.send(group, { text: 'Chapter one by Thursday?' });
  await dora.conversations.getByRole('link', { name: /Rosa Marchetti.*130 unread/ }).waitFor({ timeout: 60_000 });
});
afterAll(async () => {
  await rosa?.close();
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : undefined;
    return element?.getAttribute('aria-label') ?? label ?? element?.textContent?.trim() ?? '';
  });

/** Presses Tab until the thing of that name has the focus. */
async function tabTo(page: Page, name: string | RegExp, key = 'Tab'): Promise<void> {
  const passed: string[] = [];
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press(key);
    const now = await focused(page);
    if (typeof name === 'string' ? now === name : name.test(now)) return;
    passed.push(now);
  }
  throw new Error(`${name} cannot be reached by ${key}; passed: ${passed.join(' | ')}`);
}

describe.sequential('screens', () => {
  test('a conversation with unread messages opens at the "New" line, and only what was in view is read', async () => {
    await dora.open('Rosa Marchetti');
    await dora.page.getByRole('heading', { name: 'New', exact: true }).waitFor();
    await dora.sees('line 1.');
    const badge = async () => Number(/\((\d+)\)/.exec(await dora.page.title())?.[1] ?? 0);
    // One unread message stands in the group, and the first screen holds far fewer than all of these.
    await expect.poll(badge).toBeLessThan(LINES);
    expect(await badge()).toBeGreaterThan(LINES / 2);
    await dora.page.getByRole('button', { name: /Jump to the latest, \d+ new/ }).click();
    await dora.sees(`line ${LINES}.`);
    await expect.poll(badge).toBe(1);
    await dora.page.getByRole('button', { name: /Jump to the latest/ }).waitFor({ state: 'detached' });
  });

  test('history arrives above without moving what is being read by more than a pixel', async () => {
    const moved = await dora.log.evaluate(async (list) => {
      const STEP = 20;
      const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const places = () =>
        new Map([...list.querySelectorAll('[data-message]')].map((row) => [row, row.getBoundingClientRect().top]));
      // While rows in view are still being measured the list rightly follows its end, until it has heard of a step away from it.
      const fromEnd = () => list.scrollHeight - list.clientHeight - list.scrollTop;
      for (let still = 0; still < 10; ) {
        const height = list.scrollHeight;
        if (fromEnd() < STEP) list.scrollTop -= STEP;
        await frames();
        still = list.scrollHeight === height && fromEnd() >= STEP ? still + 1 : 0;
      }
      let worst = 0;
      for (let before = places(); list.scrollTop > STEP; ) {
        const from = list.scrollTop;
        list.scrollTop -= STEP;
        const asked = from - list.scrollTop;
        await frames();
        const now = places();
        const kept = [...now].find(([row, top]) => before.has(row) && top > 150 && top < 550);
        // A page that arrived in between changes scrollTop, never where the rows stand on the screen.
        if (kept) worst = Math.max(worst, Math.abs(kept[1] - (before.get(kept[0]) ?? 0) - asked));
        before = now;
      }
      return worst;
    });
    expect(moved).toBeLessThanOrEqual(1);
    await dora.page.getByText('This is where you and Rosa begin.').waitFor();
  });

  test('everything can be done without a mouse', async () => {
    const tess = await Person.at(browser, site.url, 'Tessa');
    const { page } = tess;
    await page.goto('/');
    await page.getByRole('heading', { name: 'Make yourself at home' }).waitFor();
    for (const [field, value] of [
      ['Display name', 'Tessa'],
      ['Username', 'tessa'],
      ['Email', 'tessa@example.org'],
      ['Password', 'under the plum tree'],
    ] as const) {
      await tabTo(page, field);
      await page.keyboard.type(value);
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your spare key' }).waitFor();
    const key = (await page.getByRole('status', { name: 'Recovery key' }).textContent()) ?? '';
    await tabTo(page, 'I have saved it');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Let us make sure' }).waitFor();
    for (let i = 0; i < 2; i++) {
      if (i > 0) await page.keyboard.press('Tab');
      const group = Number((await focused(page)).replace('Group ', ''));
      await page.keyboard.type(key.split('-')[group - 1] ?? '');
    }
    await page.keyboard.press('Enter');
    await tess.conversations.waitFor();

    await tabTo(page, 'New conversation');
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Find people' }).waitFor();
    await page.keyboard.type('dorothea');
    await page.getByRole('option', { name: 'Dorothea' }).waitFor();
    await page.keyboard.press('Enter');
    await tess.composer.waitFor();
    await expect.poll(() => focused(page)).toBe('Message');
    await page.keyboard.type('typed, not clicked');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('on two lines');
    await page.keyboard.press('Enter');
    await tess.tick('typed, not clicked', 'Delivered').waitFor();

    // Back into the list: one tab stop, then arrows; Enter opens the menu, Escape leads back to the text.
    await tabTo(page, /^You, \d\d:\d\d: typed, not clicked on two lines$/, 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'React with 👍' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^👍, 1: You/ }).waitFor();
    await expect.poll(() => focused(page)).toMatch(/^You, /);
    await page.keyboard.press('Escape');
    await expect.poll(() => focused(page)).toBe('Message');

    await page.keyboard.press('ArrowUp');
    expect(await tess.composer.inputValue()).toBe('typed, not clicked\non two lines');
    await page.keyboard.press('Escape');
    expect(await tess.composer.inputValue()).toBe('');

    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Go to' }).waitFor();
    await page.keyboard.type('rosa');
    await page.getByRole('option', { name: /Rosa Marchetti/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Rosa Marchetti', level: 2 }).waitFor();
    await expect.poll(() => focused(page)).toBe('Message');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Go to' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => focused(page)).toBe('Message');
    await page.keyboard.press('Alt+ArrowDown');
    await page.getByRole('heading', { name: 'Dorothea', level: 2 }).waitFor();
    expect(tess.complaints).toEqual([]);
    await page.context().close();
  });

  test('a new message is read out once, as "name: text"', async () => {
    await dora.page.goto('/settings');
    const spoken = dora.page.getByRole('region', { name: 'New messages' });
    await spoken.waitFor({ state: 'attached' });
    const tess = await Person.at(browser, site.url, 'Theodor');
    await tess.register();
    await tess.startDirect(dora);
    await tess.send('can you hear me?');
    await spoken.getByText('Theodor: can you hear me?').waitFor({ state: 'attached' });
    expect(await spoken.getByText('can you hear me?').count()).toBe(1);
    await tess.page.context().close();
  });

  for (const look of [
    { name: 'wide and light', viewport: { width: 1280, height: 800 }, colorScheme: 'light' as const },
    { name: 'a phone in the dark', viewport: PHONE, colorScheme: 'dark' as const, hasTouch: true },
  ]) {
    test(`axe finds nothing on any screen: ${look.name}`, async () => {
      const { name: _name, ...options } = look;
      const found: Record<string, string[]> = {};
      const person = await Person.at(browser, site.url, 'Dorothea', options);
      const { page } = person;
      const check = async (screen: string) => {
        found[screen] = await violations(page);
      };
      await page.goto('/');
      await page.getByRole('button', { name: 'Create account' }).waitFor();
      await check('sign up');
      await page.getByRole('button', { name: 'Log in' }).click();
      await check('log in');
      await page.getByRole('link', { name: 'What the server knows' }).click();
      await page.getByText('This build').waitFor();
      await check('what the server knows');
      await page.getByRole('link', { name: 'Back' }).click();
      await page.getByRole('button', { name: 'Log in' }).click();
      await person.logIn();
      await person.conversations.getByRole('link', { name: /Rosa Marchetti/ }).waitFor();
      await check('list');
      await page.getByRole('button', { name: 'New conversation' }).click();
      await page.getByRole('textbox', { name: 'Find people' }).fill('rosa');
      await page.getByRole('option').first().waitFor();
      await check('new conversation');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Go to' }).waitFor();
      await check('switcher');
      await page.keyboard.press('Escape');
      await person.open('Reading circle');
      await person.sees('Chapter one by Thursday?');
      await check('group');
      await person.message('Chapter one').focus();
      await page.keyboard.press('Enter');
      await page.getByRole('menu').waitFor();
      await check('menu');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'People' }).click();
      await page.getByRole('list', { name: 'People' }).waitFor();
      await check('people');
      await page.getByRole('button', { name: 'Close' }).click();
      await page.getByRole('button', { name: 'Emoji' }).click();
      await page.getByRole('gridcell', { name: 'Grinning face', exact: true }).waitFor();
      await check('emoji');
      await page.goto('/settings');
      await page.getByText('This device', { exact: true }).waitFor();
      await check('settings');
      expect(Object.entries(found).filter(([, problems]) => problems.length > 0)).toEqual([]);
      expect(person.complaints).toEqual([]);
      await page.context().close();
    });
  }

  test('on a phone one pane at a time, and nothing is ever wider than the screen', async () => {
    const options = { viewport: PHONE, hasTouch: true, isMobile: true };
    const person = await Person.at(browser, site.url, 'Dorothea', options);
    const { page } = person;
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    await person.logIn();
    await person.open('Rosa Marchetti');
    expect(await person.conversations.isVisible()).toBe(false);
    for (const width of [390, 360, 320]) {
      await page.setViewportSize({ width, height: 740 });
      expect(await overflow()).toBeLessThanOrEqual(0);
    }
    await page.getByRole('link', { name: 'Back to conversations' }).tap();
    await person.conversations.waitFor();
    expect(await person.composer.isVisible()).toBe(false);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.goto('/settings');
    await page.getByText('This device', { exact: true }).waitFor();
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.context().close();
  });
});
