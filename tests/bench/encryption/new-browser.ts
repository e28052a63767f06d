/** An account with 100 conversations in a new browser: from the password to the first message that can be read. */
import type { Browser } from 'playwright-core';
import { createChat } from '#client/index';
import { must } from '#lib/must';
import { type Figure, median, round } from '../stats.ts';
import type { World } from '../world.ts';

/** The runner of these files names functions by a helper of its own, which a page has not. */
const NAMES = 'globalThis.__name = (one) => one';
const ROUNDS = 5;
const CONVERSATIONS = 100;
/** Each with people who came and went: two rotations besides the beginning. */
const TEXT = 'is this the first thing that you can read?';
const PASSWORD = 'a walk along the river 7';

export async function measureNewBrowser(world: World, browser: Browser): Promise<Figure> {
  const make = async (username: string) => {
    const chat = createChat({ url: world.url });
    await chat.register({ username, email: `${username}@example.org`, password: PASSWORD });
    const { session } = chat.store.getState();
    return { chat, id: session.status === 'signed-in' ? session.me.id : '' };
  };
  const [owner, friend, guest] = [await make('bench-owner'), await make('bench-friend'), await make('bench-guest')];
  let last = '';
  for (let n = 0; n < CONVERSATIONS; n++) {
    last = await friend.chat.createGroup(`conversation ${n}`, [owner.id, guest.id]);
    await friend.chat.open(last);
    await friend.chat.removeParticipant(last, guest.id);
    const id = friend.chat.send(last, { text: TEXT });
    await new Promise<void>((done) => {
      const look = () => friend.chat.store.getState().timelines[last]?.byId.get(id)?.seq != null && done();
      friend.chat.store.subscribe(look);
      look();
    });
  }
  await Promise.all([owner, friend, guest].map(({ chat }) => chat.close()));

  const took: number[] = [];
  for (let n = 0; n <= ROUNDS; n++) {
    const context = await browser.newContext({ baseURL: world.url });
    const page = await context.newPage();
    await page.addInitScript(NAMES);
    await page.goto(`/c/${last}`);
    const already = page.getByRole('button', { name: 'Log in' });
    await already.click();
    await page.getByLabel('Username or email').fill('bench-owner');
    await page.getByLabel('Password').fill(PASSWORD);
    // In the page itself: what the program that drives it does in between is none of the product's time.
    const waited = page.evaluate(
      (text) =>
        new Promise<number>((done) => {
          let began = 0;
          addEventListener('submit', () => (began = performance.now()), { capture: true, once: true });
          const look = () => {
            const shown = document.querySelector('[role=log]')?.textContent?.includes(text);
            if (shown && began > 0) done(performance.now() - began);
            else requestAnimationFrame(look);
          };
          look();
        }),
      TEXT,
    );
    await page.getByRole('button', { name: 'Log in' }).click();
    took.push(await waited);
    await context.close();
  }
  const rounds = took.slice(1);
  return {
    name: 'new browser, 100 conversations: password to first message',
    value: round(median(rounds), 0),
    unit: 'ms',
    limit: 2_000,
    parts: { worst: round(Math.max(...rounds), 0), veryFirst: round(must(took[0], 'one at least'), 0) },
  };
}
