/** Collects keys for a moment and hands them over together: one hand-over at a time, which may cost a tenth of the time. */
import type { Logger } from '../observe/log.ts';

/** More keys than this wait for nobody; what is dropped here, the sweep finds. */
const LIMIT = 10_000;
/** In one hand-over. */
const BATCH = 200;
const LONGEST_MS = 5_000;

export class Gatherer {
  readonly #hand: (keys: string[]) => Promise<void>;
  readonly #waitMs: number;
  readonly #log: Logger;
  readonly #keys = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(hand: (keys: string[]) => Promise<void>, waitMs: number, log: Logger) {
    this.#hand = hand;
    this.#waitMs = waitMs;
    this.#log = log;
  }

  /** Never throws and never waits. */
  add(key: string): void {
    if (this.#closed || this.#keys.size >= LIMIT) return;
    this.#keys.add(key);
    if (!this.#running) this.#timer ??= setTimeout(() => this.#turn(), this.#waitMs).unref();
  }

  /** Hands over what is there, and stops. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.#once();
  }

  #turn(): void {
    this.#timer = undefined;
    const began = performance.now();
    this.#running = this.#once().then(() => {
      this.#running = undefined;
      if (this.#closed || this.#keys.size === 0) return;
      const pause = Math.min(LONGEST_MS, Math.max(this.#waitMs, 9 * (performance.now() - began)));
      this.#timer = setTimeout(() => this.#turn(), pause).unref();
    });
  }

  async #once(): Promise<void> {
    const keys = [...this.#keys].slice(0, BATCH);
    if (keys.length === 0) return;
    for (const key of keys) this.#keys.delete(key);
    try {
      await this.#hand(keys);
    } catch (error) {
      this.#log.warn({ err: error }, 'jobs: not added; the sweep will');
    }
  }
}
