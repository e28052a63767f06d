/** How often something may be done, in one table. Counted in memory: with one node there is nobody to share with. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ParleyError } from '#protocol/errors';

const MINUTE = 60;

/** `points` per `duration` seconds and key. */
const RULES = {
  /** Per user: far above what a person or a busy bot does, far below what hurts. */
  calls: { points: 3_000, duration: 10 },
  /** Per login and address: guessing one account from one place. */
  failedLogin: { points: 10, duration: 10 * MINUTE },
  /** Per address: guessing many accounts from one place. */
  failedLoginAddress: { points: 300, duration: 10 * MINUTE },
  /** Per login, from anywhere: high, or a stranger could lock a person out. */
  failedLoginAccount: { points: 200, duration: 60 * MINUTE },
  /** Per address: a whole school may sit behind one. */
  register: { points: 300, duration: 10 * MINUTE },
  refresh: { points: 600, duration: 10 * MINUTE },
  preLogin: { points: 600, duration: 10 * MINUTE },
  /** Per address: upgrades of sockets. */
  connect: { points: 2_000, duration: 10 },
} as const;
export type Rule = keyof typeof RULES;

export class RateLimits {
  readonly #limiters: ReadonlyMap<Rule, RateLimiterMemory> | null;

  constructor(enabled: boolean) {
    this.#limiters = enabled
      ? new Map(
          Object.entries(RULES).map(([name, rule]) => [
            name as Rule,
            new RateLimiterMemory({ ...rule, keyPrefix: name }),
          ]),
        )
      : null;
  }

  /** Counts one. @throws ParleyError TOO_MANY_REQUESTS with the time to wait. */
  async take(rule: Rule, key: string): Promise<void> {
    try {
      await this.#limiters?.get(rule)?.consume(key);
    } catch (error) {
      throw refusal(rule, error);
    }
  }

  /** Takes one count back: the attempt turned out to be a good one. */
  async giveBack(rule: Rule, key: string): Promise<void> {
    await this.#limiters?.get(rule)?.reward(key);
  }
}

function refusal(rule: Rule, state: unknown): unknown {
  if (!(state instanceof RateLimiterRes)) return state;
  return new ParleyError('TOO_MANY_REQUESTS', 'rate_limited', {
    retryAfterMs: Math.max(1, state.msBeforeNext),
    limit: RULES[rule].points,
  });
}
