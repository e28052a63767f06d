/** Who may read what, in browsers: added with and without the past, removed, and what the server has of all that. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { must } from '#lib/must';
import { launch } from './browser.ts';
import { Person } from './person.ts';
import { leaks, wrote } from './plaintext.ts';
import { newSite, type Site } from './site.ts';

let browser: Browser;
let site: Site;

beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), newSite()]);
});
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

const people = (who: Person) => who.page.getByRole('dialog', { name: 'People', exact: true });

async function add(who: Person, other: Person, history: boolean): Promise<void> {
  const { page } = who;
  await page.getByRole('button', { name: 'People', exact: true }).click();
  await people(who).getByRole('button', { name: 'Add people' }).click();
  const sheet = page.getByRole('dialog', { name: 'Add people' });
  if (history) await sheet.getByRole('switch', { name: 'Let them read earlier messages' }).click();
  await sheet.getByRole('textbox', { name: 'Find people' }).fill(other.username);
  await sheet.getByRole('option', { name: other.name }).click();
  await page.getByText(`${other.name} is in`).first().waitFor();
  await sheet.getByRole('button', { name: 'Done' }).click();
  await page.keyboard.press('Escape');
}

test('[P22] [C81] one of three comes with the past, one without; who is removed reads nothing that follows', async () => {
  const [ann, bo, cleo] = await Promise.all(
    ['Annette', 'Boris', 'Clara'].map((name) => Person.at(browser, site.url, name)),
  );
  if (!ann || !bo || !cleo) throw new Error('three people');
  await Promise.all([ann.register(), bo.register(), cleo.register()]);
  await ann.startGroup('Herbarium', [bo]);
  await ann.send('a pressed gentian');
  await bo.open('Herbarium');
  await bo.sees('a pressed gentian');

  await add(ann, cleo, true);
  await cleo.open('Herbarium');
  await cleo.sees('a pressed gentian');

  await ann.page.getByRole('button', { name: 'People', exact: true }).click();
  await people(ann).getByRole('button', { name: 'Add a topic' }).click();
  await people(ann).getByRole('textbox', { name: 'Topic' }).fill(wrote('Plants of the high meadows'));
  await people(ann).getByRole('button', { name: 'Save' }).click();
  await bo.page.getByRole('button', { name: 'About Herbarium' }).getByText('Plants of the high meadows').waitFor();
  await people(ann).locator('input[type=file]').setInputFiles('web/public/icon-192.png');
  await people(ann).getByRole('button', { name: 'Change the picture' }).waitFor();
  const picture = await people(ann).locator('img').first().getAttribute('src');
  const [, bytes = ''] = must(picture, 'a picture').split(',');
  wrote(bytes);
  expect(bytes.length).toBeGreaterThan(200);
  await bo.page.getByRole('button', { name: 'About Herbarium' }).locator('img').waitFor();
  expect(await bo.page.getByRole('button', { name: 'About Herbarium' }).locator('img').getAttribute('src')).toBe(
    picture,
  );
  await people(ann).getByRole('button', { name: 'Actions for Boris' }).click();
  await ann.page.getByRole('menuitem', { name: 'Remove from the group' }).click();
  await ann.page.getByRole('button', { name: 'Remove', exact: true }).click();
  await people(ann).getByText('@boris').waitFor({ state: 'detached' });
  await ann.page.keyboard.press('Escape');
  await bo.conversations.getByRole('link', { name: 'Herbarium' }).waitFor({ state: 'detached' });
  await ann.send('an edelweiss, after Boris');
  await cleo.sees('an edelweiss, after Boris');
  await cleo.page.getByRole('button', { name: 'About Herbarium' }).locator('img').waitFor();

  await add(ann, bo, false);
  await ann.send('a late crocus');
  await bo.open('Herbarium');
  await bo.sees('a late crocus');
  await bo.page.getByRole('heading', { name: 'Messages before you joined are not shown' }).waitFor();
  expect(await bo.message('an edelweiss, after Boris').count()).toBe(0);
  expect([...ann.complaints, ...bo.complaints, ...cleo.complaints]).toEqual([]);
  expect(await leaks({ sql: site.db.sql, files: await site.files(), logs: site.logs() })).toEqual([]);
});
