/** The code a browser is given: every part of it is named by its hash in the page, and another part is not run. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch } from './browser.ts';
import { Person } from './person.ts';
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

const MARK = 'globalThis.__changed = true;';

test.each([
  ['the first script', /\/assets\/index-[^/]*\.js$/, '/'],
  ['a part that is loaded later', /\/assets\/server-knows-[^/]*\.js$/, '/what-the-server-knows'],
])('[P28] %s, changed on its way: it does not run', async (_, file, path) => {
  const { page } = await Person.at(browser, site.url, 'Annika');
  let tampered = 0;
  await page.route(file, async (route) => {
    tampered++;
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: `${MARK}${await answer.text()}` });
  });
  const refused = page.waitForEvent('console', (line) => /integrity/i.test(line.text()));
  await page.goto(path);
  await refused;
  expect(tampered).toBeGreaterThan(0);
  expect(await page.evaluate(() => '__changed' in globalThis)).toBe(false);
  await page.context().close();
});

test('the list of what is served is true, file by file', async () => {
  const { files } = (await (await fetch(`${site.url}/build.json`)).json()) as { files: Record<string, string> };
  const hash = async (name: string) => {
    const path = name === 'index.html' ? '/' : `/${name}`;
    const bytes = await (await fetch(site.url + path)).arrayBuffer();
    return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
  };
  expect(Object.keys(files).length).toBeGreaterThan(20);
  for (const [name, sha256] of Object.entries(files)) expect([name, await hash(name)]).toEqual([name, sha256]);
});
