/** Ephemeral subscriptions: typing and receipts. No cursor; a slow reader loses signals, never events. */
import type { ReceiptSignal, TypingSignal } from '#protocol/signal';
import type { Connection } from '../context.ts';
import type { Deps } from '../deps.ts';
import { accessConversation } from '../domain/access.ts';
import type { Line } from './line.ts';
import { signalsFor } from './receipt-news.ts';

/** Above this much unsent, signals are dropped: they are the first to go under pressure. */
const MAX_UNSENT_BYTES = 256 * 1024;
const MAX_QUEUED = 1_000;

export interface Watcher {
  readonly userId: string;
  /** Null over HTTP, where the stream's own back-pressure holds. */
  readonly connection: Connection | null;
  /** Null where only the adapter can answer. */
  readonly line: Line | null;
  readonly signal: AbortSignal;
}

/** @returns false when it was dropped, because the reader is behind. */
export type Push<T> = (value: T) => boolean;

/**
 * A hand-written iterator over what `attach` pushes: a fifth of the memory of a generator, and it ends with the signal. It
 * is there once it listens: what a client asks for after its subscription has started is followed by all that comes later.
 */
export async function stream<T extends object>(
  watcher: Watcher,
  attach: (push: Push<T>) => Promise<() => void>,
): Promise<AsyncIterableIterator<T>> {
  const queue: T[] = [];
  let parked: ((result: IteratorResult<T>) => void) | undefined;
  let closed = false;
  let stop: (() => void) | undefined;
  const end = { value: undefined, done: true } as const;

  const push = (value: T) => {
    const isBehind = (watcher.connection?.unsentBytes ?? 0) > MAX_UNSENT_BYTES || queue.length >= MAX_QUEUED;
    if (closed || isBehind) return false;
    // Parked: all before it is written.
    if (parked && watcher.line) watcher.line.signal(value);
    else if (parked) {
      parked({ value, done: false });
      parked = undefined;
    } else queue.push(value);
    return true;
  };
  const close = () => {
    if (closed) return;
    closed = true;
    parked?.(end);
    stop?.();
  };
  watcher.signal.addEventListener('abort', close, { once: true });
  if (watcher.signal.aborted) close();
  stop = await attach(push);
  // Gone while it was being attached.
  if (closed) stop();

  const iterator: AsyncIterableIterator<T> = {
    [Symbol.asyncIterator]: () => iterator,
    // Not `async`: while it waits it holds one promise and nothing else.
    next() {
      if (closed) return Promise.resolve(end);
      const value = queue.shift();
      if (value !== undefined) return Promise.resolve({ value, done: false });
      return new Promise((resolve) => (parked = resolve));
    },
    async return() {
      close();
      return end;
    },
  };
  return iterator;
}

/** Of one conversation (NOT_FOUND for outsiders) or of all of mine. My own receipts come too: my other devices need them. */
export async function watchReceipts(deps: Deps, watcher: Watcher, conversationId: string | null | undefined) {
  if (conversationId) await accessConversation(deps.db, watcher.userId, conversationId);
  return stream<ReceiptSignal>(watcher, (push) =>
    deps.audience.listen(watcher.userId, (message) => {
      if (message.kind !== 'receipts' || (conversationId && message.conversationId !== conversationId)) return;
      const sees = deps.audience.privacyOf(watcher.userId)?.receipts !== false;
      for (const signal of signalsFor(watcher.userId, message, sees)) push(signal);
    }),
  );
}

/** My own typing is not told to my other devices, and other people's not to who hides his own. */
export async function watchTyping(deps: Deps, watcher: Watcher, conversationId: string | null | undefined) {
  if (conversationId) await accessConversation(deps.db, watcher.userId, conversationId);
  return stream<TypingSignal>(watcher, (push) =>
    deps.audience.listen(watcher.userId, (message) => {
      if (message.kind !== 'typing' || message.signal.userId === watcher.userId) return;
      if (deps.audience.privacyOf(watcher.userId)?.typing === false) return;
      if (!conversationId || message.conversationId === conversationId) push(message.signal);
    }),
  );
}
