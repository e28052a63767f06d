/** Which channels Redis tells this node: kept equal to what is wanted, with few round trips, and made anew after each break. */
import type { RedisLink } from '../redis.ts';

/** Channels in one command: enough to make thousands cheap, few enough to let other traffic through between. */
const AT_ONCE = 500;
const RETRY_MS = 500;
/** `settled` waits no longer than this. */
const SETTLE_MS = 1_000;

export interface SubscriptionsOptions {
  isWanted(channel: string): boolean;
  onText(text: string): void;
}

export class Subscriptions {
  readonly #redis: RedisLink;
  readonly #options: SubscriptionsOptions;
  /** Asked for on the connection as it is now. */
  readonly #asked = new Set<string>();
  /** Touched since the last look. */
  readonly #touched = new Set<string>();
  readonly #forget: () => void;
  #last: Promise<unknown> = Promise.resolve();

  constructor(redis: RedisLink, options: SubscriptionsOptions) {
    this.#redis = redis;
    this.#options = options;
    const { subscriber } = redis;
    const onMessage = (_channel: string, text: string) => options.onText(text);
    const onReady = () => {
      this.#asked.clear();
      for (const channel of this.#wanted) this.touch(channel);
    };
    const event = redis.isCluster ? 'smessage' : 'message';
    subscriber.on(event, onMessage).on('ready', onReady);
    this.#forget = () => subscriber.off(event, onMessage).off('ready', onReady);
  }

  /** Everything somebody listens to: what is asked again after a break. */
  readonly #wanted = new Set<string>();

  /** Whether Redis tells us anything at all. */
  get isUp(): boolean {
    return this.#redis.subscriber.status === 'ready';
  }

  /** It may be wanted now, or no longer: looked at with all others of this tick. */
  touch(channel: string): void {
    if (this.#touched.size === 0) setImmediate(() => this.#look());
    this.#touched.add(channel);
    if (this.#options.isWanted(channel)) this.#wanted.add(channel);
    else this.#wanted.delete(channel);
  }

  async settled(): Promise<void> {
    if (!this.isUp) return;
    this.#look();
    let late: NodeJS.Timeout | undefined;
    const patience = new Promise((done) => (late = setTimeout(done, SETTLE_MS)));
    await Promise.race([this.#last, patience]);
    clearTimeout(late);
  }

  close(): void {
    this.#forget();
    this.#touched.clear();
    this.#wanted.clear();
  }

  #look(): void {
    if (!this.isUp) return this.#touched.clear();
    const come: string[] = [];
    const go: string[] = [];
    for (const channel of this.#touched) {
      const wanted = this.#wanted.has(channel);
      if (wanted && !this.#asked.has(channel)) come.push(channel);
      if (!wanted && this.#asked.has(channel)) go.push(channel);
    }
    this.#touched.clear();
    for (const channel of come) this.#asked.add(channel);
    for (const channel of go) this.#asked.delete(channel);
    if (come.length + go.length === 0) return;
    const before = this.#last;
    this.#last = Promise.allSettled([before, ...this.#ask(come, true), ...this.#ask(go, false)]).then(() => {});
  }

  #ask(channels: string[], come: boolean): Promise<unknown>[] {
    const { subscriber, isCluster } = this.#redis;
    const sent: Promise<unknown>[] = [];
    // Channels of one command have to live in one slot.
    const atOnce = isCluster ? 1 : AT_ONCE;
    for (let i = 0; i < channels.length; i += atOnce) {
      const some = channels.slice(i, i + atOnce);
      const asked = isCluster
        ? come
          ? subscriber.ssubscribe(...some)
          : subscriber.sunsubscribe(...some)
        : come
          ? subscriber.subscribe(...some)
          : subscriber.unsubscribe(...some);
      sent.push(asked.catch(() => this.#askLater(some)));
    }
    return sent;
  }

  /** It failed with its connection, which asks for everything again once it is back; or with a shard, which does not. */
  #askLater(channels: string[]): void {
    setTimeout(() => {
      for (const channel of channels) {
        this.#asked.delete(channel);
        this.touch(channel);
      }
    }, RETRY_MS).unref();
  }
}
