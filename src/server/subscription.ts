/** The life of a subscription's stream: when it is over is noticed, and over HTTP it lives no longer than its session. */
import { ParleyError, type Reason } from '#protocol/errors';
import type { Context } from './context.ts';

export const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

export interface Life {
  /** Ends the procedure's own iterator: the caller went away, or the session ended. */
  readonly signal: AbortSignal;
  /** Why it was cut, if it was. */
  cut(): Reason | null;
  /** Call when the stream is over. */
  end(): void;
}

/**
 * A socket is closed by its own keeper (transport/socket.ts) when its session ends. A stream of server-sent events has
 * nobody but us: without this it would go on after log-out (P23). Null where there is nothing to keep.
 */
export function lifeOf(ctx: Context, signal: AbortSignal | undefined): Life | null {
  const { session, deps } = ctx;
  if (ctx.connection !== null || session === null) return null;
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
    cut: () => reason,
    end() {
      clearTimeout(expiry);
      forget();
    },
  };
}

/**
 * The same stream, which says when it is over, however it ends: finished, failed, cut, or disposed of by the adapter.
 * A class, because there is one for each idle subscription of each socket.
 */
export class Living<T> implements AsyncIterableIterator<T> {
  readonly #inner: AsyncIterator<T>;
  readonly #life: Life | null;
  readonly #ended: () => void;

  constructor(iterable: AsyncIterable<T>, life: Life | null, ended: () => void) {
    this.#inner = iterable[Symbol.asyncIterator]();
    this.#life = life;
    this.#ended = ended;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    return this.#life === null ? this.#inner.next() : this.#inner.next().then((result) => this.#passed(result));
  }

  async return(value?: unknown): Promise<IteratorResult<T>> {
    this.#over();
    return (await this.#inner.return?.(value)) ?? { done: true, value: undefined };
  }

  #passed(result: IteratorResult<T>): IteratorResult<T> {
    if (!result.done) return result;
    this.#over();
    const reason = this.#life?.cut() ?? null;
    if (reason !== null) throw new ParleyError('UNAUTHORIZED', reason);
    return result;
  }

  #over(): void {
    this.#life?.end();
    this.#ended();
  }
}
