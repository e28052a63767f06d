/** Who listens on this node, and how a message is handed to them: once, in the order of its channels, whoever fails. */
import type { Logger } from '../observe/log.ts';
import { type BusHandler, type BusMessage, channelsOf } from './bus.ts';

export class Handlers {
  readonly #channels = new Map<string, Set<BusHandler>>();
  readonly #observers = new Set<BusHandler>();
  readonly #log: Logger;
  readonly #onChange: (channel: string) => void;

  /** @param onChange called when a channel gets its first handler, and when it loses its last */
  constructor(log: Logger, onChange: (channel: string) => void = () => {}) {
    this.#log = log;
    this.#onChange = onChange;
  }

  deliver(message: BusMessage): void {
    this.#call(this.#observers, message);
    for (const channel of channelsOf(message)) this.#call(this.#channels.get(channel) ?? [], message);
  }

  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  listeners(channel: string): number {
    return this.#channels.get(channel)?.size ?? 0;
  }

  listened(prefix: string): string[] {
    const found: string[] = [];
    for (const channel of this.#channels.keys())
      if (channel.startsWith(prefix)) found.push(channel.slice(prefix.length));
    return found;
  }

  observe(handler: BusHandler): () => void {
    this.#observers.add(handler);
    return () => this.#observers.delete(handler);
  }

  subscribe(channel: string, handler: BusHandler): () => void {
    const handlers = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, handlers.add(handler));
    if (handlers.size === 1) this.#onChange(channel);
    return () => this.unsubscribe(channel, handler);
  }

  unsubscribe(channel: string, handler: BusHandler): void {
    const handlers = this.#channels.get(channel);
    if (!handlers?.delete(handler) || handlers.size > 0) return;
    this.#channels.delete(channel);
    this.#onChange(channel);
  }

  clear(): void {
    this.#channels.clear();
    this.#observers.clear();
  }

  #call(handlers: Iterable<BusHandler>, message: BusMessage): void {
    for (const handler of handlers) {
      try {
        handler(message);
      } catch (error) {
        this.#log.error({ err: error, kind: message.kind }, 'bus handler failed');
      }
    }
  }
}
