/** The main job: two people in two browsers, then a third; the server goes and comes back; nothing is missing, doubled or readable. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launch } from './browser.ts';
import { Person } from './person.ts';
import { dump, findIn, leaks, wrote } from './plaintext.ts';
import { newSite, type Site } from './site.ts';

let browser: Browser;
let site: Site;
let ann: Person;
let bo: Person;
let cleo: Person;

/** What Ann and Bo have said to each other, in the order in which everybody has to see it. */
const said: string[] = [];
const say = async (who: Person, text: string) => {
  await who.send(text);
  said.push(text);
};

beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), newSite()]);
  const at = (name: string) => Person.at(browser, site.url, name);
  [ann, bo, cleo] = await Promise.all([at('Annika'), at('Bogdan'), at('Cleopatra')]);
});
afterAll(async () => {
  await browser?.close();
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

describe.sequential('the main job', () => {
  test('two people register, each in a browser of their own, and find each other', async () => {
    await Promise.all([ann.register(), bo.register()]);
    await ann.startDirect(bo);
    await say(ann, 'Good morning Bogdan, can you read this heron?');
    await bo.open('Annika');
    await bo.sees('can you read this heron?');
    await ann.page.reload();
    await ann.sees('can you read this heron?');
  });

  test('[P14] ticks go from sent over delivered to read; presence is told in words', async () => {
    await ann.tick('can you read this heron?', 'Read').waitFor();
    await ann.page.getByRole('button', { name: 'About Bogdan' }).getByText('online').waitFor();
    // Bo looks elsewhere: what arrives now is delivered, not read.
    await bo.page.goto('/settings');
    await bo.page.getByRole('heading', { name: 'Settings' }).waitFor();
    await say(ann, 'a second kingfisher');
    await ann.tick('a second kingfisher', 'Delivered').waitFor();
    await bo.page.waitForFunction(() => document.title === '(1) Parley');
    await bo.open('Annika');
    await bo.page.getByRole('heading', { name: 'New', exact: true }).waitFor();
    await ann.tick('a second kingfisher', 'Read').waitFor();
    await bo.page.waitForFunction(() => document.title === 'Parley');
  });

  test('typing is seen, and ends with the message', async () => {
    await bo.composer.pressSequentially(wrote('yes, every wagtail of it'));
    await ann.page.getByRole('status', { name: 'Typing' }).getByText('Bogdan is typing').waitFor();
    await bo.composer.press('Enter');
    said.push('yes, every wagtail of it');
    await ann.sees('yes, every wagtail of it');
    await ann.page.getByRole('status', { name: 'Typing' }).getByText('is typing').waitFor({ state: 'detached' });
  });

  test('[P12] a message is answered, edited, reacted to, and deleted, for both', async () => {
    await ann.act('every wagtail of it', 'Reply');
    await say(ann, 'then meet me at the granite quay');
    await bo
      .message('granite quay')
      .getByRole('button', { name: /In reply to Bogdan/ })
      .waitFor();

    // Up in the empty box brings the last message back.
    await ann.composer.press('ArrowUp');
    await ann.composer.fill(wrote('then meet me at the basalt quay'));
    await ann.composer.press('Enter');
    said[said.length - 1] = 'then meet me at the basalt quay';
    await bo.message('basalt quay').getByText('edited').waitFor();
    expect(await bo.message('granite quay').count()).toBe(0);

    await bo.act('basalt quay', 'React with 👍');
    await ann
      .message('basalt quay')
      .getByRole('button', { name: /^👍, 1: Bogdan/ })
      .click();
    await bo
      .message('basalt quay')
      .getByRole('button', { name: /^👍, 2: / })
      .waitFor();
    await ann
      .message('basalt quay')
      .getByRole('button', { name: /^👍, 2: / })
      .click();
    await bo
      .message('basalt quay')
      .getByRole('button', { name: /^👍, 1: You/ })
      .waitFor();

    await say(bo, 'a slip of the cormorant');
    await bo.act('a slip of the cormorant', 'Delete');
    await bo.page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    said.pop();
    await ann.message('Message deleted').waitFor();
    expect(await ann.message('cormorant').count()).toBe(0);
  });

  test('[P3] [P7] the server is stopped and started: what was written meanwhile goes out once, in order', async () => {
    await site.stop('SIGTERM');
    await say(ann, 'written while nobody listens: one');
    await say(ann, 'written while nobody listens: two');
    await ann.tick('nobody listens: two', 'Waiting to be sent').waitFor();
    await ann.page.getByText('No connection.').waitFor();
    await site.start();
    await bo.sees('written while nobody listens: one');
    await bo.sees('written while nobody listens: two');
    await ann.tick('nobody listens: two', 'Read').waitFor();
    await ann.page.getByText('No connection.').waitFor({ state: 'detached' });
    expect(await bo.message('nobody listens').allInnerTexts()).toHaveLength(2);
  });

  test('[P1] [P7] the server is killed under a conversation: nothing is missing, doubled or out of order', async () => {
    for (let i = 1; i <= 30; i++) {
      await say(i % 3 === 0 ? bo : ann, `storm ${i}.`);
      // One at a time has one right order; who speaks when is otherwise the server's decision.
      await (i % 3 === 0 ? ann : bo).sees(`storm ${i}.`);
      if (i === 10 || i === 20) await site.stop('SIGKILL').then(() => site.start());
    }
    const deleted = 'Message deleted';
    const expected = said.toSpliced(said.indexOf('written while nobody listens: one'), 0, deleted);
    const shown = (texts: string[]) => texts.map((text) => text.trim());
    expect(shown(await ann.wholeHistory())).toEqual(expected);
    expect(shown(await bo.wholeHistory())).toEqual(expected);
  });

  test('[P31] a new browser logs in as the first person and reads the whole history', async () => {
    const again = await Person.at(browser, site.url, 'Annika');
    await again.logIn();
    await again.open('Bogdan');
    await again.sees('storm 30.');
    const history = (await again.wholeHistory()).map((text) => text.trim());
    expect(history.filter((text) => text !== 'Message deleted')).toEqual(said);
    await say(again, 'from the second browser of Annika');
    await Promise.all([ann.sees('from the second browser'), bo.sees('from the second browser')]);
    expect(again.complaints).toEqual([]);
    await again.page.context().close();
  });

  test('[P21] a group with a third person: names, roles, and what was said before stays with those who were there', async () => {
    await cleo.register();
    await ann.startGroup('Estuary watch', [bo]);
    await ann.send('before the osprey came');
    await bo.open('Estuary watch');
    await bo.sees('before the osprey came');

    await ann.page.getByRole('button', { name: 'People' }).click();
    await ann.page.getByRole('button', { name: 'Add people' }).click();
    await ann.page.getByRole('textbox', { name: 'Find people' }).fill('cleopatra');
    await ann.page.getByRole('option', { name: 'Cleopatra' }).click();
    await ann.page.getByText('Cleopatra is in').waitFor();
    await ann.page.getByRole('button', { name: 'Close' }).click();

    await cleo.open('Estuary watch');
    await ann.send('welcome to the mudflats');
    await cleo.sees('welcome to the mudflats');
    await cleo.send('glad to be among waders');
    await Promise.all([ann.sees('glad to be among waders'), bo.sees('glad to be among waders')]);
    expect(await cleo.message('before the osprey came').count()).toBe(0);
    await ann.tick('welcome to the mudflats', 'Read').waitFor();
  });

  test('[P22] who is removed gets nothing more, and the others go on', async () => {
    await ann.page.getByRole('button', { name: 'People' }).click();
    await ann.page.getByRole('button', { name: 'Actions for Cleopatra' }).click();
    await ann.page.getByRole('menuitem', { name: 'Remove from the group' }).click();
    await ann.page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
    await ann.page
      .getByRole('list', { name: 'People' })
      .getByText('Cleopatra', { exact: true })
      .waitFor({ state: 'detached' });
    await ann.page.getByRole('button', { name: 'Close' }).click();
    await ann.send('only avocets from here on');
    await bo.sees('only avocets from here on');
    await cleo.page.getByRole('heading', { name: 'Nothing to see here' }).waitFor();
    expect(await cleo.page.getByText('only avocets').count()).toBe(0);
  });

  test('the last admin cannot leave without naming another, and is told so', async () => {
    await ann.page.getByRole('button', { name: 'People' }).click();
    await ann.page.getByRole('button', { name: 'Leave the group' }).click();
    await ann.page.getByRole('alertdialog').getByRole('button', { name: 'Leave' }).click();
    await ann.page.getByText('You are the only admin.').waitFor();
    await ann.page.getByRole('button', { name: 'Close' }).click();
  });

  test('[P29] no sent text stands in the database, in the files, or in the logs', async () => {
    const rows = await dump(site.db.sql);
    // What is not sealed is found, so the search works.
    expect(findIn(rows, ['annika@example.org'])).toHaveLength(1);
    expect(await leaks({ sql: site.db.sql, files: await site.files(), logs: site.logs() })).toEqual([]);
  });

  test('[P30] two messages that the server has exchanged are shown as such, and their text is not', async () => {
    const direct = site.db.sql`select id from conversations where type = 'direct'`;
    const before = said.slice(-2);
    await site.db.sql`
      update messages m set content_encrypted = other.content_encrypted
      from (select seq, content_encrypted from messages where conversation_id in (${direct}) order by seq desc limit 2) other
      where m.conversation_id in (${direct}) and m.seq > (select max(seq) - 2 from messages where conversation_id in (${direct}))
        and other.seq <> m.seq`;
    const again = await Person.at(browser, site.url, 'Annika');
    await again.logIn();
    await again.open('Bogdan');
    await again.page.getByText('This message cannot be shown').nth(1).waitFor();
    for (const text of before) expect(await again.message(text).count()).toBe(0);
    await again.page.getByText('This message cannot be shown').last().click();
    await again.log.getByText('It does not belong where the server has put it').last().waitFor();
    await again.page.context().close();
  });

  test('logging out leaves nothing of the person in the browser', async () => {
    await bo.page.getByRole('link', { name: 'Settings of Bogdan' }).click();
    await bo.page.getByRole('button', { name: 'Log out' }).click();
    await bo.page.getByRole('alertdialog').getByRole('button', { name: 'Log out' }).click();
    await bo.page.getByText('You are logged out').waitFor();
    const kept = await bo.page.evaluate(async () => {
      const databases = await indexedDB.databases();
      const counts = databases.map(
        ({ name }) =>
          new Promise<number>((done) => {
            const opening = indexedDB.open(name ?? '');
            opening.onsuccess = () => {
              const db = opening.result;
              const stores = [...db.objectStoreNames];
              if (stores.length === 0) return done(0);
              const reading = db.transaction(stores);
              const requests = stores.map((store) => reading.objectStore(store).count());
              reading.oncomplete = () => done(requests.reduce((sum, request) => sum + request.result, 0));
            };
          }),
      );
      return { rows: (await Promise.all(counts)).reduce((sum, count) => sum + count, 0), local: { ...localStorage } };
    });
    expect(kept).toEqual({ rows: 0, local: { 'parley.known': '1' } });
  });

  test('[P28] no page has complained about its policy, nor asked any other origin for anything', () => {
    expect([...ann.complaints, ...bo.complaints, ...cleo.complaints]).toEqual([]);
  });
});
