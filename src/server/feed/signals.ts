/** Ephemeral subscriptions: typing and receipts. No cursor; a slow reader loses signals, never events. */
import type { z } from 'zod';
import type { ReceiptScope, ReceiptSignal, TypingSignal } from '#protocol/signal';
import type { Deps } from '../deps.ts';
import { accessConversation } from '../domain/access.ts';
import { signalsFor } from './receipt-news.ts';
import { endWith, type Watcher } from './watcher.ts';

/** Above this much unsent, signals are dropped: they are the first to go under pressure. */
const MAX_UNSENT_BYTES = 256 * 1024;
const MAX_QUEUED = 1_000;
const END = { value: undefined, done: true } as const;

/**
 * A hand-written iterator over what is pushed: a fifth of the memory of a generator, and it ends with the signal. It is given
 * out once it listens: what a client asks for after its subscription has started is followed by all that comes later.
 */
export class Signals<T extends object> implements AsyncIterableIterator<T> {
  readonly #watcher: Watcher;
  #queue: T[] | undefined;
  #parked: ((result: IteratorResult<T>) => void) | undefined;
  #closed = false;
  #stop: (() => void) | undefined;

  /** @param attach begins to push; resolves, once all that follows is pushed, to the way out */
  static async over<T extends object>(
    watcher: Watcher,
    attach: (signals: Signals<T>) => Promise<() => void>,
  ): Promise<Signals<T>> {
    const signals = new Signals<T>(watcher);
    signals.#stop = await attach(signals);
    // Gone while it was being attached.
    if (signals.#closed) signals.#stop();
    return signals;
  }

  private constructor(watcher: Watcher) {
    this.#watcher = watcher;
    endWith(watcher, () => this.#close());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @returns false when it was dropped, because the reader is behind. */
  push(value: T): boolean {
    const { connection, line } = this.#watcher;
    const isBehind =
      (connection?.unsentBytes ?? 0) > MAX_UNSENT_BYTES ||
      (this.#queue !== undefined && this.#queue.length >= MAX_QUEUED);
    if (this.#closed || isBehind) return false;
    // Parked: all before it is written.
    if (this.#parked && line) line.signal(value);
    else if (this.#parked) {
      this.#parked({ value, done: false });
      this.#parked = undefined;
    } else (this.#queue ??= []).push(value);
    return true;
  }

  /** Not `async`: while it waits it holds one promise and nothing else. */
  next(): Promise<IteratorResult<T>> {
    if (this.#closed) return Promise.resolve(END);
    const value = this.#queue?.shift();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    this.#queue = undefined;
    return new Promise((resolve) => (this.#parked = resolve));
  }

  async return(): Promise<IteratorResult<T>> {
    this.#close();
    return END;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#parked?.(END);
    this.#stop?.();
  }
}

/** Of one conversation (NOT_FOUND for outsiders) or of all of mine. My own receipts come too: my other devices need them. */
export async function watchReceipts(
  deps: Deps,
  watcher: Watcher,
  { conversationId, together = false }: NonNullable<z.output<typeof ReceiptScope>>,
) {
  if (conversationId) await accessConversation(deps.db, watcher.userId, conversationId);
  return Signals.over<ReceiptSignal>(watcher, (signals) =>
    deps.audience.listen(watcher.userId, (message) => {
      if (message.kind !== 'receipts' || (conversationId && message.conversationId !== conversationId)) return;
      const seesReading = deps.audience.privacyOf(watcher.userId)?.receipts !== false;
      for (const signal of signalsFor(watcher.userId, message, { seesReading, together })) signals.push(signal);
    }),
  );
}

/** My own typing is not told to my other devices, and other people's not to who hides his own. */
export async function watchTyping(deps: Deps, watcher: Watcher, conversationId: string | null | undefined) {
  if (conversationId) await accessConversation(deps.db, watcher.userId, conversationId);
  return Signals.over<TypingSignal>(watcher, (signals) =>
    deps.audience.listen(watcher.userId, (message) => {
      if (message.kind !== 'typing' || message.signal.userId === watcher.userId) return;
      if (deps.audience.privacyOf(watcher.userId)?.typing === false) return;
      if (!conversationId || message.conversationId === conversationId) signals.push(message.signal);
    }),
  );
}
