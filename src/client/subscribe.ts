/** Owns subscriptions that have no cursor: begun again after a failure, until somebody ends them. */
import type { Unsubscribable } from '@trpc/server/observable';
import { backoffMs, sleep } from './backoff.ts';

interface Handlers {
  onError(): void;
  onComplete(): void;
}

/** `begin` subscribes with the handlers it is given. A lost socket is the link's affair and ends nothing here. */
export function keepSubscribed(begin: (handlers: Handlers) => Unsubscribable, signal: AbortSignal): () => void {
  const end = new AbortController();
  const over = AbortSignal.any([end.signal, signal]);
  let current: Unsubscribable | undefined;
  let attempt = 0;

  function subscribe(): void {
    if (over.aborted) return;
    let isOver = false;
    const again = () => {
      if (isOver) return;
      isOver = true;
      void sleep(backoffMs(attempt++), over).then(subscribe);
    };
    current = begin({ onError: again, onComplete: again });
  }

  over.addEventListener('abort', () => current?.unsubscribe(), { once: true });
  subscribe();
  return () => end.abort();
}
