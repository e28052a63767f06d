/** Who listens to a subscription, over which connection, until when. */
import type { Connection } from '../context.ts';
import type { Line } from './line.ts';

export interface Watcher {
  readonly userId: string;
  /** Null over HTTP, where the stream's own back-pressure holds. */
  readonly connection: Connection | null;
  /** Null where only the adapter can answer. */
  readonly line: Line | null;
  /** Undefined on a socket, which disposes of the iterator by itself. */
  readonly signal: AbortSignal | undefined;
}

/** Calls `close` when the watcher goes. */
export function endWith({ signal }: Watcher, close: () => void): void {
  if (signal?.aborted) close();
  else signal?.addEventListener('abort', close, { once: true });
}
