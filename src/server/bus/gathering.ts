/**
 * A bus that publishes together what is said of messages in one tick: those of one flush of the writer reach everybody in a
 * conversation as one hint, and go out to each socket as one. Whatever else is published comes after what was gathered.
 */
import type { Bus, BusMessage, StampedEvent } from './bus.ts';

export function gathering(bus: Bus): Bus {
  const gathered = new Map<string, StampedEvent[]>();

  function flush(): void {
    const all = [...gathered];
    gathered.clear();
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
    },
    close() {
      flush();
      return bus.close();
    },
  };
}

const isOfMessages = (message: BusMessage): message is BusMessage & { kind: 'events' } =>
  message.kind === 'events' && message.events.every(({ event }) => event.type === 'message');
