/**
 * Owns what waits to be sent: in memory for this tab, sealed on the device for the next page, in step with the other tabs. What
 * is on the device is the truth; what tabs tell each other only says where to look again.
 */
import { Serial } from '#lib/serial';
import { type Context, meOf } from '../context.ts';
import type { Outcome } from './delivery.ts';
import type { Entry } from './entry.ts';

/** How an entry has gone: done, or given up by me. */
export type End = Outcome | 'dropped';

interface Hint {
  outbox: string;
  id: string;
  end?: End;
}

export interface ShelfListeners {
  /** Another tab has written or changed it. */
  onChanged(entry: Entry): void;
  /** Another tab has brought it to its end. */
  onEnded(entry: Entry, end: End): void;
}

export class Shelf {
  readonly #context: Context;
  readonly #listeners: ShelfListeners;
  readonly #entries = new Map<string, Entry>();
  /** Writes of one entry, in their order. */
  readonly #writes = new Serial();
  readonly #hints = new Serial();
  readonly #own = new Set<string>();
  /** Not on the device yet: that it is not found there says nothing. */
  readonly #unkept = new Set<string>();
  /** On their way off the device. */
  readonly #going = new Set<string>();
  #isLasting = false;

  constructor(context: Context, listeners: ShelfListeners) {
    this.#context = context;
    this.#listeners = listeners;
  }

  /** Whether what is written here outlives the page. */
  get isLasting(): boolean {
    return this.#isLasting;
  }

  async open(): Promise<void> {
    const { keyring, tabs, signal } = this.#context;
    this.#isLasting = await keyring.isLasting();
    if (!this.#isLasting || signal.aborted) return;
    const me = meOf(this.#context);
    const stop = tabs.hear((word) => isHint(word, me) && void this.#hints.run('', () => this.#hear(word)));
    signal.addEventListener('abort', stop, { once: true });
    await this.reload();
  }

  /** What a tab that is gone may have left without a word. */
  async reload(): Promise<void> {
    for (const entry of (await this.#context.keyring.unsent()) as Entry[]) {
      if (!this.#entries.has(entry.id) && !this.#going.has(entry.id)) this.#entries.set(entry.id, entry);
    }
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** In no order. */
  all(): Entry[] {
    return [...this.#entries.values()];
  }

  /** In the order of writing. */
  of(conversationId: string): Entry[] {
    return this.all()
      .filter((entry) => entry.conversationId === conversationId)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Written in this tab. In memory only, until it is kept. */
  add(entry: Entry): void {
    this.#own.add(entry.id);
    this.#unkept.add(entry.id);
    this.#entries.set(entry.id, entry);
  }

  isOwn(id: string): boolean {
    return this.#own.has(id);
  }

  /** In memory at once; resolves when it is kept. Nothing happens to what is not there any more. */
  async update(id: string, change: Partial<Entry>): Promise<Entry | undefined> {
    const known = this.#entries.get(id);
    if (!known) return undefined;
    const entry = { ...known, ...change };
    this.#entries.set(id, entry);
    await this.keep(id);
    return entry;
  }

  async keep(id: string): Promise<void> {
    if (!this.#isLasting) return;
    const { keyring, tabs } = this.#context;
    await this.#writes.run(id, async () => {
      const entry = this.#entries.get(id);
      if (!entry) return;
      // A device that cannot keep it is no reason not to send it.
      const ids = await keyring.keepUnsent(id, entry).catch(() => undefined);
      if (!ids) return;
      this.#unkept.delete(id);
      if (!this.#context.signal.aborted) tabs.tell(this.#hint(id));
      // Written before mine, in a tab whose hint is still on its way: it goes first.
      const others = ids.filter((other) => other < id && !this.#entries.has(other) && !this.#going.has(other));
      for (const other of others) await this.#look(other).catch(() => {});
    });
  }

  /** As the device has it, where another tab may have changed it. Undefined when it is gone. */
  async reread(id: string): Promise<Entry | undefined> {
    if (this.#isLasting) await this.#read(id);
    return this.#entries.get(id);
  }

  /** Off memory at once, off the device soon, and the others are told. */
  drop(id: string, end: End): void {
    this.#entries.delete(id);
    this.#own.delete(id);
    this.#unkept.delete(id);
    if (!this.#isLasting) return;
    const { keyring, tabs } = this.#context;
    this.#going.add(id);
    void this.#writes
      .run(id, () => keyring.dropUnsent(id))
      .then(() => tabs.tell(this.#hint(id, end)))
      // What stays is sent once more after a reload, and is recognised by its id.
      .catch(() => {})
      .finally(() => this.#going.delete(id));
  }

  #hint(id: string, end?: End): Hint {
    return { outbox: meOf(this.#context), id, ...(end === undefined ? {} : { end }) };
  }

  async #hear({ id, end }: Hint): Promise<void> {
    if (this.#context.signal.aborted) return;
    if (end === undefined) return this.#look(id).catch(() => {});
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    if (entry) this.#listeners.onEnded(entry, end);
  }

  async #look(id: string): Promise<void> {
    const entry = await this.#read(id);
    // Gone already: how, is told by a hint that follows.
    if (entry && !this.#context.signal.aborted) this.#listeners.onChanged(entry);
  }

  /** Behind this tab's own writes of it, and never over what it has become here in the meantime. */
  #read(id: string): Promise<Entry | undefined> {
    return this.#writes.run(id, async () => {
      const before = this.#entries.get(id);
      if (this.#unkept.has(id)) return before;
      const entry = (await this.#context.keyring.oneUnsent(id)) as Entry | undefined;
      if (this.#entries.get(id) !== before || this.#going.has(id)) return undefined;
      if (entry) this.#entries.set(id, entry);
      else this.#entries.delete(id);
      return entry;
    });
  }
}

const isHint = (word: unknown, me: string): word is Hint =>
  typeof word === 'object' && word !== null && 'outbox' in word && word.outbox === me && 'id' in word;
