import { describe, expect, test } from 'vitest';
import { RateLimits } from '#server/rate-limits';
import { rateLimitsContract, taken } from './rate-limits.ts';

describe('rate limits: in the process', () => {
  rateLimitsContract(() => {
    const limits = new RateLimits(true, null);
    return { here: limits, there: limits };
  });

  test('switched off they let everything through', async () => {
    expect(await taken([new RateLimits(false, null)], 'ann', 50)).toBe(50);
  });
});
