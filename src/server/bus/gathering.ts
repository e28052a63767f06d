/**
 * A bus that publishes together what is said of messages in one tick: those of one flush of the writer reach everybody in a
 * conversation as one hint, and go out to each socket as one. Whatever else is published comes after what was gathered.
 */
import type { FeedEvent } from '#protocol/event';
import type { Bus, BusMessage, StampedEvent } from './bus.ts';

/** Of contents. What is more goes in several: other nodes hear of it in one text each. */
const MOST_CHARACTERS = 256 * 1024;

export function gathering(bus: Bus): Bus {
  // Anew for each flush: a map that is emptied goes on pointing to what it held, which then outlives the young generation.
  let gathered = new Map<string, StampedEvent[]>();
  let characters = 0;

  function flush(): void {
    const all = gathered;
    gathered = new Map();
    characters = 0;
    for (const [conversationId, events] of all) bus.publish({ kind: 'events', conversationId, events });
  }

  return {
    ...bus,
    publish(message) {
      if (!isOfMessages(message)) {
        flush();
        return bus.publish(message);
      }
      if (gathered.size === 0) queueMicrotask(flush);
      const events = gathered.get(message.conversationId);
      if (events) events.push(...message.events);
      else gathered.set(message.conversationId, [...message.events]);
      for (const { event } of message.events) characters += event.message.contentEncrypted.length;
      if (characters > MOST_CHARACTERS) flush();
    },
    close() {
      flush();
      return bus.close();
    },
  };
}

type OfMessages = Extract<BusMessage, { kind: 'events' }> & {
  readonly events: readonly { readonly version: number; readonly event: Extract<FeedEvent, { type: 'message' }> }[];
};

const isOfMessages = (message: BusMessage): message is OfMessages =>
  message.kind === 'events' && message.events.every(({ event }) => event.type === 'message');
