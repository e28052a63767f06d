/** The bus of a single node: handlers are called in the process, in the order of publishing. */
import type { Logger } from '../observe/log.ts';
import { type Bus, type BusHandler, type BusMessage, channelsOf } from './bus.ts';

export function createMemoryBus(log: Logger): Bus {
  const channels = new Map<string, Set<BusHandler>>();

  const observers = new Set<BusHandler>();

  const call = (handlers: Iterable<BusHandler>, message: BusMessage) => {
    for (const handler of handlers) {
      try {
        handler(message);
      } catch (error) {
        log.error({ err: error, kind: message.kind }, 'bus handler failed');
      }
    }
  };

  return {
    publish(message) {
      call(observers, message);
      for (const channel of channelsOf(message)) call(channels.get(channel) ?? [], message);
    },
    observe(handler) {
      observers.add(handler);
      return () => observers.delete(handler);
    },
    listened: (prefix) =>
      [...channels.keys()]
        .filter((channel) => channel.startsWith(prefix))
        .map((channel) => channel.slice(prefix.length)),
    subscribe(channel, handler) {
      const handlers = channels.get(channel) ?? new Set();
      channels.set(channel, handlers.add(handler));
      return () => {
        handlers.delete(handler);
        if (handlers.size === 0 && channels.get(channel) === handlers) channels.delete(channel);
      };
    },
    async close() {
      channels.clear();
      observers.clear();
    },
  };
}
