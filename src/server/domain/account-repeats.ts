/**
 * The same change of an account once more, because its answer was lost. What proved it is spent by then, so it looks like a wrong guess; whoever
 * offers exactly what is in force already is answered as the first time.
 */
import { ParleyError, type Reason } from '#protocol/errors';

/** What the first time leaves behind for the second: the proof is gone, or the keys have moved on. */
const SPENT = new Set<Reason>(['invalid_credentials', 'invalid_code', 'identity_stale']);

/** @param again null when this is not what is in force: the refusal stands as it was. It was counted, so limits come first. */
export async function orRepeated<T>(once: () => Promise<T>, again: () => Promise<T | null>): Promise<T> {
  try {
    return await once();
  } catch (error) {
    if (!(error instanceof ParleyError && SPENT.has(error.reason))) throw error;
    const repeated = await again();
    if (repeated === null) throw error;
    return repeated;
  }
}
