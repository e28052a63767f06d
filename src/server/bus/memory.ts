/** The bus of a single node: handlers are called in the process, in the order of publishing. */
import type { Logger } from '../observe/log.ts';
import type { Bus } from './bus.ts';
import { Handlers } from './handlers.ts';

export function createMemoryBus(log: Logger): Bus {
  const handlers = new Handlers(log);
  return {
    isShared: false,
    publish: (message) => handlers.deliver(message),
    deliver: (message) => handlers.deliver(message),
    subscribe: (channel, handler) => handlers.subscribe(channel, handler),
    unsubscribe: (channel, handler) => handlers.unsubscribe(channel, handler),
    observe: (handler) => handlers.observe(handler),
    begin: () => {},
    listeners: (channel) => handlers.listeners(channel),
    listened: (prefix) => handlers.listened(prefix),
    settled: async () => {},
    close: async () => handlers.clear(),
  };
}
