/** Owns how long to wait before the next attempt. */

/** The first retry comes within this; doubled with each failure. */
const BASE_MS = 500;
const MAX_MS = 10_000;

/** Full jitter: a restarted server must not be met by everybody at the same moment (P17). */
export function backoffMs(attempt: number): number {
  return Math.round(50 + Math.random() * Math.min(BASE_MS * 2 ** attempt, MAX_MS));
}

/** A socket that has just been lost, or told to move: most often the next one stands at once. Spread over this. */
const FIRST_MS = 1_000;
const SHORTEST_MS = 1_000;
const LONGEST_MS = 5_000;

/** For the connection (mission: 1 s to 5 s with jitter): anywhere between the shortest and a longest that doubles. */
export function reconnectMs(attempt: number): number {
  if (attempt === 0) return Math.round(Math.random() * FIRST_MS);
  const longest = Math.min(SHORTEST_MS * 2 ** attempt, LONGEST_MS);
  return Math.round(SHORTEST_MS + Math.random() * (longest - SHORTEST_MS));
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
