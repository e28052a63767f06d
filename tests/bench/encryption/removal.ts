/** One of a thousand people is removed: a fresh key for all who stay, wrapped in the browser of whoever does it. */
import type { Browser } from 'playwright-core';
import { uuidv7 } from 'uuidv7';
import { createChat } from '#client/index';
import { newPerson } from '../../crypto/people.ts';
import { type Figure, median, round } from '../stats.ts';
import type { World } from '../world.ts';

/** The runner of these files names functions by a helper of its own, which a page has not. */
const NAMES = 'globalThis.__name = (one) => one';
const ROUNDS = 3;
const PEOPLE = 1_000;
const PASSWORD = 'a walk along the river 7';
/** People at a time into the database. */
const BATCH = 100;

/** Accounts that nobody logs in to: their identities are real, and that is all others need of them. */
async function populate(world: World, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < count; from += BATCH) {
    const people = await Promise.all(
      Array.from({ length: Math.min(BATCH, count - from) }, () => newPerson({ userId: uuidv7() })),
    );
    const users = people.map(({ userId }, n) => ({
      id: userId,
      username: `crowd-${from + n}`,
      email: `crowd-${from + n}@example.org`,
      password_hash: '-',
      display_name: `Person ${from + n}`,
      kdf: { alg: 'argon2id', m: 65_536, t: 3, p: 1, salt: '' },
    }));
    await world.sql`insert into users ${world.sql(users)}`;
    const identities = people.map(({ userId, signed, fingerprint }) => ({
      user_id: userId,
      gen: 0,
      record: Buffer.from(signed.record),
      self_sig: Buffer.from(signed.selfSig),
      fingerprint: Buffer.from(fingerprint),
      kind: 0,
    }));
    await world.sql`insert into user_identities ${world.sql(identities)}`;
    ids.push(...people.map(({ userId }) => userId));
  }
  return ids;
}

export async function measureRemoval(world: World, browser: Browser): Promise<Figure[]> {
  const crowd = await populate(world, PEOPLE - 1);
  const admin = createChat({ url: world.url });
  await admin.register({ username: 'bench-admin', email: 'admin@example.org', password: PASSWORD });
  const id = await admin.createGroup('everybody', crowd);
  await admin.close();

  const context = await browser.newContext({ baseURL: world.url });
  const page = await context.newPage();
  await page.addInitScript(NAMES);
  await page.goto(`/c/${id}`);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByLabel('Username or email').fill('bench-admin');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'People' }).click();
  const list = page.getByRole('list', { name: 'People' });
  await list.waitFor();

  const took: number[] = [];
  const blocked: number[] = [];
  for (let n = 0; n <= ROUNDS; n++) {
    const actions = page.getByRole('button', { name: /^Actions for Person / }).first();
    const name = ((await actions.getAttribute('aria-label')) ?? '').replace('Actions for ', '');
    await actions.click();
    await page.getByRole('menuitem', { name: 'Remove from the group' }).click();
    const confirm = page.getByRole('alertdialog').getByRole('button', { name: 'Remove' });
    await confirm.waitFor();
    const waited = page.evaluate(
      (label) =>
        new Promise<{ took: number; blocked: number }>((done) => {
          let began = 0;
          let longest = 0;
          const observer = new PerformanceObserver((tasks) => {
            for (const { duration, startTime } of tasks.getEntries())
              if (began > 0 && startTime > began) longest = Math.max(longest, duration);
          });
          observer.observe({ type: 'longtask' });
          addEventListener('click', () => (began = performance.now()), { capture: true, once: true });
          const look = () => {
            if (began > 0 && !document.querySelector(`[aria-label="${label}"]`)) {
              const all = performance.now() - began;
              // The last task is reported after it has ended.
              setTimeout(() => done({ took: all, blocked: longest }), 100);
            } else setTimeout(look, 10);
          };
          look();
        }),
      `Actions for ${name}`,
    );
    await confirm.click();
    const result = await waited;
    took.push(result.took);
    blocked.push(result.blocked);
  }
  await context.close();
  const rounds = took.slice(1);
  return [
    {
      name: 'removal in a group of 1,000, click to done, Chromium',
      value: round(median(rounds), 0),
      unit: 'ms',
      limit: 3_000,
      parts: { worst: round(Math.max(...rounds), 0), veryFirst: round(took[0] ?? 0, 0) },
    },
    {
      name: 'the same: longest task of the page (0: none over 50)',
      value: round(median(blocked.slice(1)), 0),
      unit: 'ms',
      limit: 50,
      parts: { veryFirst: round(blocked[0] ?? 0, 0) },
    },
  ];
}
