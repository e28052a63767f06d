/** Which channels one connection tells this node: kept equal to what is wanted, in few round trips, and anew after each break. */
import type { Redis } from 'ioredis';

/** Channels in one command: enough to make thousands cheap, few enough to let other traffic through between. */
const AT_ONCE = 500;
/** `settled` waits no longer than this. */
const SETTLE_MS = 1_000;
const RETRY_MS = 500;

export interface SubscriptionsOptions {
  /** Channels belong to a shard, and are asked for one by one: those of one command would have to live in one slot. */
  readonly isSharded: boolean;
  isWanted(channel: string): boolean;
  onText(text: string): void;
}

export class Subscriptions {
  readonly #connection: Redis;
  readonly #options: SubscriptionsOptions;
  /** Everything wanted, as of the last touch. */
  readonly #wanted = new Set<string>();
  /** Asked for on the connection as it is now. */
  readonly #asked = new Set<string>();
  /** Touched since the last look. */
  readonly #touched = new Set<string>();
  #last: Promise<void> = Promise.resolve();

  /** @param connection closed with this */
  constructor(connection: Redis, options: SubscriptionsOptions) {
    this.#connection = connection;
    this.#options = options;
    connection.on(options.isSharded ? 'smessage' : 'message', (_channel: string, text: string) => options.onText(text));
    connection.on('ready', () => {
      this.#asked.clear();
      for (const channel of this.#wanted) this.touch(channel);
    });
  }

  /** Whether anything can be heard at all. */
  get isUp(): boolean {
    return this.#connection.status === 'ready';
  }

  /** It may be wanted now, or no longer: looked at with all others of this tick. */
  touch(channel: string): void {
    if (this.#options.isWanted(channel)) this.#wanted.add(channel);
    else this.#wanted.delete(channel);
    if (this.#touched.size === 0) setImmediate(() => this.#look());
    this.#touched.add(channel);
  }

  /** Resolves once all that was touched is told, or after a second, or at once when the connection is broken. */
  async settled(): Promise<void> {
    if (!this.isUp) return;
    this.#look();
    let late: NodeJS.Timeout | undefined;
    const patience = new Promise((done) => (late = setTimeout(done, SETTLE_MS)));
    await Promise.race([this.#last, patience]);
    clearTimeout(late);
  }

  close(): void {
    this.#connection.disconnect();
    this.#wanted.clear();
    this.#touched.clear();
  }

  #look(): void {
    if (!this.isUp) return this.#touched.clear();
    const come: string[] = [];
    const go: string[] = [];
    for (const channel of this.#touched) {
      const isWanted = this.#wanted.has(channel);
      if (isWanted && !this.#asked.has(channel)) come.push(channel);
      if (!isWanted && this.#asked.has(channel)) go.push(channel);
    }
    this.#touched.clear();
    for (const channel of come) this.#asked.add(channel);
    for (const channel of go) this.#asked.delete(channel);
    if (come.length + go.length === 0) return;
    const before = this.#last;
    this.#last = Promise.all([before, ...this.#ask(come, true), ...this.#ask(go, false)]).then(() => {});
  }

  #ask(channels: string[], isComing: boolean): Promise<unknown>[] {
    const { isSharded } = this.#options;
    const connection = this.#connection;
    const atOnce = isSharded ? 1 : AT_ONCE;
    const sent: Promise<unknown>[] = [];
    for (let i = 0; i < channels.length; i += atOnce) {
      const some = channels.slice(i, i + atOnce);
      const asked = isSharded
        ? connection[isComing ? 'ssubscribe' : 'sunsubscribe'](...some)
        : connection[isComing ? 'subscribe' : 'unsubscribe'](...some);
      sent.push(asked.catch(() => this.#askAgain(some)));
    }
    return sent;
  }

  /** It failed with its connection, which asks for everything again; or because its slot has moved, or is not served yet. */
  #askAgain(channels: string[]): void {
    for (const channel of channels) this.#asked.delete(channel);
    setTimeout(() => {
      for (const channel of channels) this.touch(channel);
    }, RETRY_MS).unref();
  }
}
