/** Owns how long to wait before the next attempt. */

/** The first retry comes within this; doubled with each failure. */
const BASE_MS = 500;
const MAX_MS = 10_000;

/** Full jitter: a restarted server must not be met by everybody at the same moment (P17). */
export function backoffMs(attempt: number): number {
  return Math.round(50 + Math.random() * Math.min(BASE_MS * 2 ** attempt, MAX_MS));
}

/** Resolves early when the signal is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal?.aborted) done();
    else signal?.addEventListener('abort', done, { once: true });
  });
}
