/** Who listens to a subscription, over which connection, until when. */
import type { Connection } from '../context.ts';
import type { Line } from './line.ts';

export interface Watcher {
  readonly userId: string;
  /** Null over HTTP, where the stream's own back-pressure holds. */
  readonly connection: Connection | null;
  /** Null where only the adapter can answer. */
  readonly line: Line | null;
  readonly signal: AbortSignal;
}

/** Calls `close` when the watcher goes. Over a socket the adapter disposes of the iterator by itself, and nothing needs to listen. */
export function endWith({ signal, connection }: Watcher, close: () => void): void {
  if (signal.aborted) close();
  else if (connection === null) signal.addEventListener('abort', close, { once: true });
}
