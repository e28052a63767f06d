/** Passwords and keys as people handle them: changed, forgotten, recovered, and started over - and what is readable after each. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations } from './axe.ts';
import { launch } from './browser.ts';
import { Person } from './person.ts';
import { wrote } from './plaintext.ts';
import { newSite, type Site } from './site.ts';

const NEW = 'a bench under the lime tree 3';
const THIRD = 'seven herons and a kingfisher';

let browser: Browser;
let site: Site;
let ann: Person;
let recoveryKey: string;

beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), newSite()]);
  ann = await Person.at(browser, site.url, 'Annika');
  const ben = await Person.at(browser, site.url, 'Benedict');
  [recoveryKey] = await Promise.all([ann.register(), ben.register()]);
  await ann.startDirect(ben);
  await ann.send('before all of this');
  await ann.tick('before all of this', 'Sent').or(ann.tick('before all of this', 'Delivered')).waitFor();
});
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

/** Screens for looking at, where a folder for them is named. */
async function look({ page }: Person, name: string): Promise<void> {
  expect(await violations(page)).toEqual([]);
  const folder = process.env.SCREENS;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
  ] as const) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 800 });
}

async function logIn(name: string, password: string): Promise<Person> {
  const person = await Person.at(browser, site.url, name);
  const { page } = person;
  await page.goto('/');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByLabel('Username or email').fill(person.username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  return person;
}

async function forgot(): Promise<Person> {
  const person = await Person.at(browser, site.url, 'Annika');
  await person.page.goto('/');
  await person.page.getByRole('button', { name: 'Log in' }).click();
  await person.page.getByRole('button', { name: 'Forgot your password?' }).click();
  return person;
}

test('[C61] the password is changed in the settings, and the new one opens everything elsewhere', async () => {
  const { page } = ann;
  await page.goto('/settings');
  await page.getByRole('button', { name: 'Change password' }).click();
  const dialog = page.getByRole('dialog', { name: 'Change your password' });
  await dialog.getByLabel('Current password').fill('not the right one');
  await dialog.getByLabel('New password').fill(wrote(NEW));
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await dialog.getByText('That is not your password.').waitFor();
  await look(ann, 'change-password');
  await dialog.getByLabel('Current password').fill('a walk along the river 7');
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('Your password is changed').waitFor();
  const device = await logIn('Annika', NEW);
  await device.open('Benedict');
  await device.sees('before all of this');
  await device.page.context().close();
});

test('[C64] forgotten while signed in: this device vouches, and a new recovery key is shown', async () => {
  const { page } = ann;
  await page.goto('/settings');
  await look(ann, 'settings');
  await page.getByRole('button', { name: 'Set a new one' }).click();
  await page.getByRole('textbox', { name: 'New password' }).fill(wrote(THIRD));
  await page.getByRole('button', { name: 'Set new password' }).click();
  await page.getByRole('heading', { name: 'Your spare key' }).waitFor();
  await look(ann, 'recovery-key');
  const next = await ann.keepRecoveryKey();
  expect(next).not.toBe(recoveryKey);
  recoveryKey = next;
  await ann.open('Benedict');
  await ann.sees('before all of this');
  await ann.send('and after');
  await ann.tick('and after', 'Sent').or(ann.tick('and after', 'Delivered')).waitFor();
});

test('[C62] forgotten, with the recovery key: everything is back', async () => {
  const back = await forgot();
  const { page } = back;
  await look(back, 'forgot');
  await page.getByRole('button', { name: /I have my recovery key/ }).click();
  await page.getByLabel('Username or email').fill('annika');
  await page.getByLabel('Recovery key').fill(`${recoveryKey.slice(0, -1)}U`);
  await page.getByLabel('New password').fill(NEW);
  await page.getByRole('button', { name: 'Set new password' }).click();
  await page.getByText('There is a slip in the recovery key.').waitFor();
  await look(back, 'with-recovery-key');
  await page.getByLabel('Recovery key').fill(recoveryKey.toLowerCase());
  await page.getByRole('button', { name: 'Set new password' }).click();
  await back.keepRecoveryKey();
  await back.open('Benedict');
  await back.sees('before all of this');
  await back.sees('and after');
  // Whoever was signed in before is not any more.
  await ann.page.getByText('This device was signed out from another one.').waitFor();
});

test('[C65] with nothing left: a code from the operator, and the past stays locked', async () => {
  const back = await forgot();
  const { page } = back;
  await page.getByRole('button', { name: /I have neither/ }).click();
  await page.getByLabel('Username or email').fill('annika');
  await page.getByRole('button', { name: 'Ask for a code' }).click();
  await page.getByText('This server sends no mail.').waitFor();
  const env = { ...process.env, ...site.env };
  const args = ['--import', 'tsx', 'src/server/account-code-cli.ts', 'annika', 'reset'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  await page.getByLabel('Code').fill(stdout.trim());
  await page.getByLabel('New password').fill(wrote(THIRD));
  await page.getByRole('button', { name: 'Start over with new keys' }).click();
  await page.getByText('Please confirm that you know what is lost.').waitFor();
  await look(back, 'start-over');
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Start over with new keys' }).click();
  await back.keepRecoveryKey();
  await back.open('Benedict');
  expect(await back.message('before all of this').count()).toBe(0);
  await back.send('starting over');
  await back.tick('starting over', 'Sent').or(back.tick('starting over', 'Delivered')).waitFor();
});

test('[C5] a recovery key stays on the screen until it is kept, also when the session ends elsewhere meanwhile', async () => {
  const person = await logIn('Annika', THIRD);
  const { page } = person;
  await person.conversations.waitFor();
  const other = await page.context().newPage();
  await other.goto('/');
  await other.getByRole('navigation', { name: 'Conversations' }).waitFor();
  await page.goto('/settings');
  await page.getByRole('button', { name: 'New recovery key' }).click();
  await page.getByLabel('Password', { exact: true }).fill(THIRD);
  await page.getByRole('button', { name: 'Make a new one' }).click();
  const key = page.getByRole('status', { name: 'Recovery key' });
  await key.waitFor();
  const status = await other.evaluate(async () => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch('/trpc/auth.logout', { method: 'POST', headers, body: '{}' })).status;
  });
  expect(status).toBe(200);
  await other.getByRole('button', { name: 'Log in' }).first().waitFor();
  expect(await key.textContent()).toMatch(/^[0-9A-Z-]{34,}$/);
  await person.proveRecoveryKey();
  await page.getByRole('button', { name: 'Log in' }).first().waitFor();
});
