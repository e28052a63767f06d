/** Somebody at a browser, in the words of what they do. Finds everything by role and name, as a screen reader does. */
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { newPage } from './browser.ts';
import { wrote } from './plaintext.ts';

export const PASSWORD = 'a walk along the river 7';

export class Person {
  readonly name: string;
  readonly page: Page;
  readonly complaints: string[];

  constructor(name: string, page: Page, complaints: string[]) {
    this.name = name;
    this.page = page;
    this.complaints = complaints;
  }

  static async at(browser: Browser, url: string, name: string, options?: BrowserContextOptions): Promise<Person> {
    const { page, complaints } = await newPage(browser, url, options);
    return new Person(name, page, complaints);
  }

  get username(): string {
    return this.name.toLowerCase();
  }
  get composer(): Locator {
    return this.page.getByRole('textbox', { name: 'Message', exact: true });
  }
  get log(): Locator {
    return this.page.getByRole('log', { name: 'Messages' });
  }
  get conversations(): Locator {
    return this.page.getByRole('navigation', { name: 'Conversations' });
  }

  /** Gives the recovery key. */
  async register(): Promise<string> {
    const { page } = this;
    await page.goto('/');
    await page.getByLabel('Display name').fill(this.name);
    await page.getByLabel('Username').fill(this.username);
    await page.getByLabel('Email').fill(`${this.username}@example.org`);
    await page.getByLabel('Password').fill(wrote(PASSWORD));
    await page.getByRole('button', { name: 'Create account' }).click();
    return this.keepRecoveryKey();
  }

  /** Reads it from the screen, and proves that it was kept. */
  async keepRecoveryKey(): Promise<string> {
    const key = await this.proveRecoveryKey();
    await this.conversations.waitFor();
    return key;
  }

  async proveRecoveryKey(): Promise<string> {
    const { page } = this;
    const key = (await page.getByRole('status', { name: 'Recovery key' }).textContent()) ?? '';
    await page.getByRole('button', { name: 'I have saved it' }).click();
    const groups = key.split('-');
    for (const field of await page.getByLabel(/^Group \d$/).all()) {
      const label = await field.evaluate((input: HTMLInputElement) => input.labels?.[0]?.textContent ?? '');
      await field.fill(groups[Number(label.slice(-1)) - 1] ?? '');
    }
    await page.getByRole('button', { name: 'Done' }).click();
    return key;
  }

  async logIn(): Promise<void> {
    const { page } = this;
    await page.goto('/');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByLabel('Username or email').fill(this.username);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await this.conversations.waitFor();
  }

  async startDirect(other: Person): Promise<void> {
    const { page } = this;
    await page.getByRole('button', { name: 'New conversation' }).click();
    await page.getByRole('textbox', { name: 'Find people' }).fill(other.username);
    await page.getByRole('option', { name: other.name }).click();
    await this.composer.waitFor();
  }

  async startGroup(title: string, others: Person[]): Promise<void> {
    const { page } = this;
    await page.getByRole('button', { name: 'New conversation' }).click();
    await page.getByRole('button', { name: /New group/ }).click();
    await page.getByRole('textbox', { name: 'Group name' }).fill(wrote(title));
    for (const other of others) {
      await page.getByRole('textbox', { name: 'Find people' }).fill(other.username);
      await page.getByRole('option', { name: other.name }).click();
    }
    await page.getByRole('button', { name: 'Create group' }).click();
    await this.composer.waitFor();
  }

  async open(title: string): Promise<void> {
    await this.conversations.getByRole('link', { name: title }).click();
    await this.page.getByRole('heading', { name: title, level: 2 }).waitFor();
    await this.composer.waitFor();
  }

  async send(text: string): Promise<void> {
    await this.composer.fill(wrote(text));
    await this.composer.press('Enter');
  }

  /** The row of a message. */
  message(text: string): Locator {
    return this.log.getByRole('article').filter({ hasText: text });
  }
  tick(text: string, label: string): Locator {
    return this.message(text).getByRole('img', { name: label });
  }
  sees(text: string): Promise<void> {
    return this.message(text).first().waitFor();
  }

  /** Opens the menu of a message by keyboard and chooses. */
  async act(text: string, action: string): Promise<void> {
    const [, emoji] = /^React with (.+)$/.exec(action) ?? [];
    if (emoji) wrote(emoji);
    await this.message(text).last().focus();
    await this.page.keyboard.press('Enter');
    await this.page.getByRole('menuitem', { name: action }).click();
  }

  /** Every text that can be reached by scrolling up, in the order of the screen, each once. Ends where it began, at the end. */
  async wholeHistory(): Promise<string[]> {
    return this.log.evaluate(async (list) => {
      const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const seen = new Map<string, string>();
      const order: string[] = [];
      const collect = () => {
        const rows = [...list.querySelectorAll<HTMLElement>('[data-message]')];
        const ids = rows.map((row) => row.dataset.message ?? '');
        rows.forEach((row, index) => {
          const id = ids[index] ?? '';
          const body = row.querySelector('[dir=auto], p');
          // A text's first piece, without the time that stands at its end.
          const text = (body?.matches('[dir=auto]') ? body.firstChild : body)?.textContent ?? '';
          if (!seen.has(id)) {
            // Its place is before the next row that is known already.
            const next = ids.slice(index + 1).find((other) => seen.has(other));
            order.splice(next === undefined ? order.length : order.indexOf(next), 0, id);
          }
          seen.set(id, text);
        });
      };
      for (let still = 0; still < 40; ) {
        collect();
        const before = list.scrollTop;
        list.scrollTop -= list.clientHeight / 2;
        await frames();
        still = list.scrollTop === before ? still + 1 : 0;
        // At the top: give older pages time to arrive.
        if (still > 0) await new Promise((done) => setTimeout(done, 25));
      }
      collect();
      list.scrollTop = list.scrollHeight;
      return order.map((id) => seen.get(id) ?? '');
    });
  }
}
