/**
 * Owns messages by id, immutable, in buckets: putting one in copies a bucket instead of everything, so what an event
 * costs does not grow with the history that is loaded (copying a record of 800 took as long as decrypting).
 */
import type { MessageView } from '../types.ts';

type Bucket = Readonly<Record<string, MessageView>>;

const BUCKETS = 64;
/** Ids end in random digits. */
const bucketOf = (id: string) => (id.charCodeAt(id.length - 1) + 31 * id.charCodeAt(id.length - 2)) & (BUCKETS - 1);

export class MessageTable {
  /** Read it through `get`; public only so that equal tables compare as equal. */
  readonly buckets: readonly (Bucket | undefined)[];

  private constructor(buckets: readonly (Bucket | undefined)[]) {
    this.buckets = buckets;
  }

  static readonly empty = new MessageTable([]);

  static of(messages: Iterable<MessageView>): MessageTable {
    return MessageTable.empty.withAll(messages);
  }

  get(id: string): MessageView | undefined {
    return this.buckets[bucketOf(id)]?.[id];
  }

  with(message: MessageView): MessageTable {
    return this.withAll([message]);
  }

  /** One copy for all of them. */
  withAll(messages: Iterable<MessageView>): MessageTable {
    const buckets = this.buckets.slice();
    const fresh = new Set<number>();
    for (const message of messages) {
      const at = bucketOf(message.id);
      if (!fresh.has(at)) buckets[at] = { ...buckets[at] };
      fresh.add(at);
      (buckets[at] as Record<string, MessageView>)[message.id] = message;
    }
    return fresh.size === 0 ? this : new MessageTable(buckets);
  }

  without(id: string): MessageTable {
    const at = bucketOf(id);
    const { [id]: removed, ...rest } = this.buckets[at] ?? {};
    if (!removed) return this;
    const buckets = this.buckets.slice();
    buckets[at] = rest;
    return new MessageTable(buckets);
  }
}
