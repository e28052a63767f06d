/** Collects what a subscription yields, and waits for what is expected with a bound. */
import type { FeedEvent } from '#protocol/event';
import type { PresenceSignal, ReceiptSignal, TypingSignal } from '#protocol/signal';
import type { Program } from './program.ts';

export interface Collected<T> extends Disposable {
  readonly items: T[];
  /** Resume ids, one for each item, where the subscription has them. */
  readonly ids: string[];
  /** Resolves with the first item that fits, past or to come; rejects after 20 s with what was seen. */
  until(fits: (item: T) => boolean): Promise<T>;
}

type Observer<T> = { onData: (data: T) => void; onError: (error: unknown) => void };

function collect<T, TItem>(
  subscribe: (observer: Observer<T>) => { unsubscribe: () => void },
  read: (data: T) => { item: TItem; id?: string },
): Collected<TItem> {
  const items: TItem[] = [];
  const ids: string[] = [];
  const waiting = new Set<() => void>();
  let failed: unknown;
  const wake = () => {
    for (const check of waiting) check();
  };
  const subscription = subscribe({
    onData(data) {
      const { item, id } = read(data);
      items.push(item);
      ids.push(id ?? '');
      wake();
    },
    onError(error) {
      failed = error;
      wake();
    },
  });
  return {
    items,
    ids,
    until: (fits) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = items.find(fits);
          if (found === undefined && failed === undefined) return;
          clearTimeout(timer);
          waiting.delete(check);
          if (found === undefined) reject(failed as Error);
          else resolve(found);
        };
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`not seen within 20 s; last: ${JSON.stringify(items.slice(-5)).slice(0, 1_500)}`));
        }, 20_000);
        waiting.add(check);
        check();
      }),
    [Symbol.dispose]: () => subscription.unsubscribe(),
  };
}

export const follow = (program: Program, lastEventId?: string): Collected<FeedEvent> =>
  collect<{ id: string; data: FeedEvent }, FeedEvent>(
    (observer) => program.api.feed.follow.subscribe({ lastEventId }, observer as never),
    ({ id, data }) => ({ item: data, id }),
  );
/** Subscribes and waits until everything missed was given. */
export async function followLive(program: Program, lastEventId?: string): Promise<Collected<FeedEvent>> {
  const feed = follow(program, lastEventId);
  await feed.until(({ type }) => type === 'live');
  return feed;
}

const plain = <T>(data: T) => ({ item: data });
export const watchTyping = (program: Program, conversationId?: string): Collected<TypingSignal> =>
  collect(
    (observer) => program.api.typing.onChange.subscribe({ conversationId }, observer as never),
    plain<TypingSignal>,
  );
export const watchReceipts = (program: Program, together?: true): Collected<ReceiptSignal> =>
  collect(
    (observer) => program.api.receipts.onChange.subscribe(together ? { together } : {}, observer as never),
    plain<ReceiptSignal>,
  );
export const watchPresence = (program: Program, userIds: string[]): Collected<PresenceSignal> =>
  collect((observer) => program.api.presence.onChange.subscribe({ userIds }, observer as never), plain<PresenceSignal>);

export const messagesIn = (events: FeedEvent[]) =>
  events.flatMap((event) => (event.type === 'message' ? [event.message] : []));
export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
