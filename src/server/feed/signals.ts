/** Ephemeral subscriptions: presence, typing and receipts. No cursor; a slow reader loses signals, never events. */
import type { PresenceSignal, ReceiptSignal, TypingSignal } from '#protocol/signal';
import type { Connection } from '../context.ts';
import type { Deps } from '../deps.ts';
import { accessConversation } from '../domain/access.ts';
import { presenceOf } from '../domain/presence.ts';
import { sharingWith } from '../domain/shared.ts';

/** Above this much unsent, signals are dropped: they are the first to go under pressure. */
const MAX_UNSENT_BYTES = 256 * 1024;
const MAX_QUEUED = 1_000;

export interface Watcher {
  readonly userId: string;
  /** Null over HTTP, where the stream's own back-pressure holds. */
  readonly connection: Connection | null;
  readonly signal: AbortSignal;
}

/** A hand-written iterator over what `attach` pushes: a fifth of the memory of a generator, and it ends with the signal. */
function stream<T>(
  watcher: Watcher,
  attach: (push: (value: T) => void) => Promise<() => void>,
): AsyncIterableIterator<T> {
  const queue: T[] = [];
  let parked: ((result: IteratorResult<T>) => void) | undefined;
  let started: Promise<() => void> | undefined;
  let closed = false;
  const end = { value: undefined, done: true } as const;

  const push = (value: T) => {
    if (closed) return;
    if (parked) {
      parked({ value, done: false });
      parked = undefined;
    } else if (queue.length < MAX_QUEUED && (watcher.connection?.socket.bufferedAmount ?? 0) <= MAX_UNSENT_BYTES)
      queue.push(value);
  };
  const close = () => {
    if (closed) return;
    closed = true;
    parked?.(end);
    started?.then((stop) => stop()).catch(() => {});
  };
  watcher.signal.addEventListener('abort', close, { once: true });
  if (watcher.signal.aborted) close();

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (closed) return end;
      started ??= attach(push);
      await started;
      const value = queue.shift();
      if (value !== undefined) return { value, done: false };
      if (closed) return end;
      return new Promise((resolve) => (parked = resolve));
    },
    async return() {
      close();
      return end;
    },
  };
}

/** Of one conversation (NOT_FOUND for outsiders) or of all of mine. My own receipts come too: my other devices need them. */
export async function watchReceipts(deps: Deps, watcher: Watcher, conversationId: string | null | undefined) {
  if (conversationId) await accessConversation(deps.db, watcher.userId, conversationId);
  return stream<ReceiptSignal>(watcher, (push) =>
    deps.audience.listen(watcher.userId, (message) => {
      if (message.kind === 'receipt' && (!conversationId || message.conversationId === conversationId))
        push(message.signal);
    }),
  );
}

/** My own typing is not told to my other devices. */
export async function watchTyping(deps: Deps, watcher: Watcher, conversationId: string | null | undefined) {
  if (conversationId) await accessConversation(deps.db, watcher.userId, conversationId);
  return stream<TypingSignal>(watcher, (push) =>
    deps.audience.listen(watcher.userId, (message) => {
      if (message.kind !== 'typing' || message.signal.userId === watcher.userId) return;
      if (!conversationId || message.conversationId === conversationId) push(message.signal);
    }),
  );
}

/** First the current state of everyone asked for, then transitions, of those the viewer may see. */
export function watchPresence(deps: Deps, watcher: Watcher, userIds: string[]) {
  return stream<PresenceSignal>(watcher, async (push) => {
    const stops = userIds.map((userId) =>
      deps.bus.subscribe(`p:${userId}`, (message) => {
        if (message.kind !== 'presence') return;
        const { status, lastSeenAt } = message;
        void sharingWith(deps.db, watcher.userId, [userId])
          .then((visible) => visible.has(userId) && push({ userId, status, lastSeenAt }))
          .catch((error: unknown) => deps.log.warn({ err: error }, 'presence not told'));
      }),
    );
    for (const one of await presenceOf(deps, watcher.userId, userIds)) push(one);
    return () => stops.forEach((stop) => stop());
  });
}
