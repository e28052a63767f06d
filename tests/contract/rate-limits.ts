/** What the limits keep to; `here` and `there` may be two nodes. */
import { expect, test } from 'vitest';
import { ParleyError } from '#protocol/errors';
import type { RateLimits } from '#server/rate-limits';

export const outcome = (call: Promise<void>) =>
  call.then(
    () => 'taken' as const,
    (error: unknown) => (error instanceof ParleyError ? error : String(error)),
  );
/** How many of so many are let through. */
export async function taken(limits: readonly RateLimits[], key: string, attempts: number): Promise<number> {
  let count = 0;
  for (let i = 0; i < attempts; i++)
    for (const one of limits) if ((await outcome(one.take('failedLogin', key))) === 'taken') count++;
  return count;
}

export function rateLimitsContract(open: () => { here: RateLimits; there: RateLimits }): void {
  test('[P24] guesses are counted together, by key, and refused with the time to wait', async () => {
    const { here, there } = open();
    expect(await taken([here, there], 'ann|1.2.3.4', 6)).toBe(10);
    const refused = await outcome(there.take('failedLogin', 'ann|1.2.3.4'));
    expect(refused).toMatchObject({ code: 'TOO_MANY_REQUESTS', reason: 'rate_limited', limit: 10 });
    expect((refused as ParleyError).retryAfterMs).toBeGreaterThan(0);
    expect(await outcome(here.take('failedLogin', 'bob|1.2.3.4'))).toBe('taken');
  });

  test('[P24] what is given back was never counted', async () => {
    const { here, there } = open();
    for (let i = 0; i < 20; i++) {
      expect(await outcome(here.take('failedLogin', 'cyd'))).toBe('taken');
      await there.giveBack('failedLogin', 'cyd');
    }
  });
}
