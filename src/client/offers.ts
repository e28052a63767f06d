/**
 * Owns changes of the account whose outcome must become known: what was made once is sent until the server has answered, because a second one
 * made in its place would be refused - the first may be in force.
 */
import { backoffMs, sleep } from './backoff.ts';
import { isTransient, SdkError } from './errors.ts';

const ATTEMPTS = 5;

/** The server may or may not have done it. */
const isLost = (error: unknown) =>
  error instanceof SdkError && ['NETWORK', 'TIMEOUT', 'INTERNAL_SERVER_ERROR'].includes(error.code);

/** The server knows a repeat when it sees one. @throws SdkError outcome_unknown, or what it refuses with */
export async function untilKnown<T>(send: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  let lost = false;
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      lost ||= isLost(error);
      if (!lost || !(isLost(error) || isTransient(error))) throw error;
      if (attempt >= ATTEMPTS || signal?.aborted) throw new SdkError('NETWORK', 'outcome_unknown', { cause: error });
      await sleep(backoffMs(attempt), signal);
    }
  }
}

export class Offers {
  #unknown: { of: string; offer: unknown } | undefined;

  /**
   * @param of what the person has asked for: asked again after an unknown outcome, the same offer is sent again
   * @param make the offer, once
   */
  async carryOut<O, T>(
    of: object,
    make: () => Promise<O>,
    send: (offer: O) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<{ offer: O; answer: T }> {
    const key = JSON.stringify(of);
    const offer = this.#unknown?.of === key ? (this.#unknown.offer as O) : await make();
    this.#unknown = undefined;
    try {
      return { offer, answer: await untilKnown(() => send(offer), signal) };
    } catch (error) {
      if (error instanceof SdkError && error.reason === 'outcome_unknown') this.#unknown = { of: key, offer };
      throw error;
    }
  }

  forget(): void {
    this.#unknown = undefined;
  }
}
