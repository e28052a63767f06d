/** Trust, as people meet it: comparing numbers, new keys that nobody vouches for, and what becomes of messages meanwhile. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromBase64, sha256 } from '#crypto/verify';
import { must } from '#lib/must';
import { newPerson } from '../crypto/people.ts';
import { violations } from './axe.ts';
import { launch } from './browser.ts';
import { PASSWORD, Person } from './person.ts';
import { wrote } from './plaintext.ts';
import { newSite, type Site } from './site.ts';

let browser: Browser;
let site: Site;
let vera: Person;
let igor: Person;

beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), newSite()]);
  [vera, igor] = [await Person.at(browser, site.url, 'Vera'), await Person.at(browser, site.url, 'Igor')];
  await Promise.all([vera.register(), igor.register()]);
  await vera.startDirect(igor);
  await vera.send('Is that you?');
  await igor.open('Vera');
  await igor.sees('Is that you?');
});
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

const numberOf = (person: Person) => person.page.getByRole('status', { name: 'Safety number' }).innerText();

/** What a server can do by itself: other keys for somebody, in the log and everywhere, without a signature of the old ones. */
async function resetByServer(username: string): Promise<void> {
  const { sql } = site.db;
  const rows = await sql`select u.id, i.gen, encode(i.record, 'base64') as record from users u
    join user_identities i on i.user_id = u.id where u.username = ${username} order by i.gen desc limit 1`;
  const { id: userId, gen, record } = must(rows[0], 'registered');
  const prevHash = await sha256(fromBase64(String(record).replaceAll('\n', '')));
  const { signed, fingerprint } = await newPerson({ userId, gen: Number(gen) + 1, kind: 'reset', prevHash });
  const [bytes, sig, print] = [signed.record, signed.selfSig, fingerprint].map((part) => Buffer.from(part));
  await sql`insert into user_identities (user_id, gen, record, self_sig, fingerprint, kind)
    values (${userId}, ${Number(gen) + 1}, ${must(bytes, 'made')}, ${must(sig, 'made')}, ${must(print, 'made')}, 2)`;
  await sql`update users set identity_gen = ${Number(gen) + 1} where id = ${userId}`;
  await sql`update conversations set rekey_required = true`;
}

describe.sequential('trust', () => {
  test('[C72] two people compare numbers, and from then on a mark stands beside the name, on every device', async () => {
    for (const [person, other] of [
      [vera, igor],
      [igor, vera],
    ] as const) {
      await person.page.getByRole('button', { name: `Verify ${other.name}` }).click();
    }
    const number = await numberOf(vera);
    expect(number.replaceAll(/\s/g, '')).toMatch(/^\d{60}$/);
    expect(await numberOf(igor)).toBe(number);
    await vera.page.getByRole('img', { name: 'Code to be scanned by Igor' }).waitFor();
    expect(await violations(vera.page)).toEqual([]);
    await vera.page.getByRole('button', { name: 'They match' }).click();
    await vera.page.getByRole('img', { name: 'verified' }).first().waitFor();
    await igor.page.keyboard.press('Escape');
    const other = await Person.at(browser, site.url, 'Vera');
    await expect
      .poll(async () => (await site.db.sql`select 1 from account_blobs where name = 'settings'`).length)
      .toBeGreaterThan(0);
    await other.logIn();
    await other.open('Igor');
    await other.page.getByRole('img', { name: 'verified' }).first().waitFor();
    await other.page.context().close();
  });

  test('[C63] [C71] new keys signed by the old ones: the mark stays, one quiet line says so, and both go on writing', async () => {
    const { page } = igor;
    await page.goto('/settings');
    await page.getByRole('button', { name: 'Change my keys' }).click();
    const dialog = page.getByRole('dialog', { name: 'Change your keys' });
    await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Change my keys' }).click();
    await igor.keepRecoveryKey();
    await vera.log.getByText('Igor has new keys', { exact: true }).waitFor();
    await vera.page.getByRole('img', { name: 'verified' }).first().waitFor();
    expect(await vera.page.getByRole('alert').filter({ hasText: 'new keys' }).count()).toBe(0);
    await igor.open('Vera');
    await igor.sees('Is that you?');
    await igor.send('Under new keys');
    await vera.sees('Under new keys');
    await vera.send('I can still read you');
    await igor.sees('I can still read you');
    await vera.page.getByRole('img', { name: 'verified' }).first().waitFor();
  });

  test('[C71] new keys that nobody vouches for: a loud warning, nothing is sent, and nothing is lost', async () => {
    await resetByServer('igor');
    await vera.send('For your eyes only');
    const alert = vera.page.getByRole('alert').filter({ hasText: 'Igor has new keys' });
    await alert.waitFor();
    await vera.sees('Is that you?');
    expect(await vera.composer.count()).toBe(0);
    await vera.tick('For your eyes only', 'waiting to be sent').waitFor();
    expect(await violations(vera.page)).toEqual([]);
    const stored = () => site.db.sql`select count(*)::int as n from messages`;
    expect((await stored())[0]?.n).toBe(3);

    await alert.getByRole('button', { name: 'Go on without' }).click();
    await vera.page.getByRole('button', { name: 'Go on without comparing' }).click();
    await alert.waitFor({ state: 'detached' });
    await expect.poll(async () => (await stored())[0]?.n).toBe(4);
    await vera.composer.waitFor();
    await vera.page.getByRole('button', { name: 'Verify Igor' }).waitFor();
  });

  test('[C74] what happened to people and keys is told between the messages, by the records that they signed', async () => {
    await vera.log.getByText('Igor has new keys, made without the old ones').waitFor();
    const zoe = await Person.at(browser, site.url, 'Zoe');
    await zoe.register();
    await zoe.startGroup('Choir', [vera]);
    await zoe.send('Welcome');
    await zoe.log.getByText('You created the group').waitFor();
    await vera.open('Choir');
    await vera.sees('Welcome');
    await vera.log.getByText('Zoe created the group').waitFor();
    await zoe.page.getByRole('button', { name: 'People', exact: true }).click();
    await zoe.page.getByRole('button', { name: 'Rename' }).click();
    await zoe.page.getByRole('textbox', { name: 'Group name' }).fill(wrote('Night choir'));
    await zoe.page.getByRole('button', { name: 'Save' }).click();
    await vera.log.getByText('Zoe named the group “Night choir”').waitFor();
    expect(await violations(vera.page)).toEqual([]);
    expect(zoe.complaints).toEqual([]);
  });

  test('no screen has broken the policy of the page', () => {
    expect([...vera.complaints, ...igor.complaints]).toEqual([]);
  });
});
