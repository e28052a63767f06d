/** What the server leaves out for one person, as that person sees it: a quiet line at the message that gives it away. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { must } from '#lib/must';
import { violations } from './axe.ts';
import { launch } from './browser.ts';
import { Person } from './person.ts';
import { newProgram, wrote } from './plaintext.ts';
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

test('[C86] a message that the server leaves out is missed, in words, and nothing else is', async () => {
  const nora = await Person.at(browser, site.url, 'Nora');
  const sam = newProgram(site.url);
  const password = wrote('a long way to the lake');
  await Promise.all([
    nora.register(),
    sam.register({ username: 'sam', email: 'sam@example.org', displayName: 'Sam', password }),
  ]);
  const [other] = await sam.api.users.search.query({ query: 'nora' });
  const id = await sam.createDirect(must(other, 'just registered').id);
  await sam.open(id);
  await nora.open('Sam');
  sam.send(id, { text: wrote('Shall we take the early train?') });
  await nora.sees('Shall we take the early train?');
  await nora.send('Yes. I bring bread');
  await nora.send('and the map');
  await expect.poll(() => sam.store.getState().timelines[id]?.ids.length).toBe(3);
  const second = must(sam.store.getState().timelines[id]?.ids.at(-1), 'the map');
  sam.send(id, { text: wrote('Good, I had forgotten that'), replyTo: second });
  await nora.sees('Good, I had forgotten that');
  await site.db.sql`delete from messages where id = ${second}`;

  const again = await Person.at(browser, site.url, 'Nora');
  await again.logIn();
  await again.open('Sam');
  await again.sees('Good, I had forgotten that');
  const line = again.message('Good, I had forgotten that').getByText('A message may be missing here');
  await line.click();
  await again.log.getByText('had seen a message that the server has not given to you').waitFor();
  expect(await again.log.getByText('may be missing here').count()).toBe(1);
  expect(await nora.log.getByText('may be missing here').count()).toBe(0);
  expect(await violations(again.page)).toEqual([]);
  await sam.close();
});
