/** The life of a subscription's stream: when it is over is noticed, and over HTTP it lives no longer than its session. */
import { ParleyError, type Reason } from '#protocol/errors';
import type { Context } from './context.ts';

export const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

export interface Life {
  /** False on a socket, which ends with its session by itself. */
  readonly isOwn: boolean;
  /** Ends the procedure's own iterator: the caller went away, or the session ended. */
  readonly signal: AbortSignal | undefined;
  /** Why it was cut, if it was. */
  cut(): Reason | null;
  /** Call when the stream is over. */
  end(): void;
}

// Of every subscription on every socket: nothing of its call is kept by them.
const never = () => null;
const nothing = () => {};

/**
 * A socket is closed by its own keeper (transport/socket.ts) when its session ends. A stream of server-sent events has
 * nobody but us: without this it would go on after log-out (P23).
 */
export function lifeOf(ctx: Context, signal: AbortSignal | undefined): Life {
  const { session, deps } = ctx;
  if (ctx.connection !== null || session === null) return { signal, isOwn: false, cut: never, end: nothing };
  let reason: Reason | null = null;
  const cut = new AbortController();
  const stop = (why: Reason) => {
    reason = why;
    cut.abort();
  };
  const expiry = setTimeout(() => stop('token_expired'), Math.max(0, session.expiresAt - deps.now())).unref();
  const forget = deps.revocations.onRevoked((ids) => ids.includes(session.sessionId) && stop('session_revoked'));
  // It may have ended between being looked at and being listened for.
  if (deps.revocations.has(session.sessionId)) stop('session_revoked');
  return {
    signal: signal ? AbortSignal.any([signal, cut.signal]) : cut.signal,
    isOwn: true,
    cut: () => reason,
    end() {
      clearTimeout(expiry);
      forget();
    },
  };
}

/** The same stream, which says when it is over, however it ends: finished, failed, cut, or disposed of by the adapter. */
export function withLife<T>(iterable: AsyncIterable<T>, life: Life, ended: () => void): AsyncIterable<T> {
  const over = () => {
    life.end();
    ended();
  };
  return {
    [Symbol.asyncIterator]() {
      const finish = (result: IteratorResult<T>) => {
        if (!result.done) return result;
        over();
        const reason = life.cut();
        if (reason !== null) throw new ParleyError('UNAUTHORIZED', reason);
        return result;
      };
      const inner = iterable[Symbol.asyncIterator]();
      return {
        // Waited for by every idle subscription of every socket: what it holds meanwhile is counted in bytes.
        next: () => (life.isOwn ? inner.next().then(finish) : inner.next()),
        async return(value?: unknown) {
          over();
          return (await inner.return?.(value)) ?? { done: true, value: undefined };
        },
      };
    },
  };
}
