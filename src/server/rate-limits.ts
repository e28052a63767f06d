/**
 * How often something may be done, in one table. What protects accounts is counted for all nodes together, in Redis; what
 * protects a node is counted by each in its own memory.
 */
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { ParleyError } from '#protocol/errors';
import type { RedisClient } from './redis.ts';

const MINUTE = 60;

interface Limit {
  /** Per `duration` seconds and key. */
  readonly points: number;
  readonly duration: number;
  /** Over all nodes. It costs a round trip, so nothing that is on the way of every message is. */
  readonly shared?: true;
}

const RULES = {
  /** Per user: far above what a person or a busy bot does, far below what hurts. With n nodes it is n times that. */
  calls: { points: 3_000, duration: 10 },
  /** Per login and address: guessing one account from one place. */
  failedLogin: { points: 10, duration: 10 * MINUTE, shared: true },
  /** Per address: guessing many accounts from one place. */
  failedLoginAddress: { points: 300, duration: 10 * MINUTE, shared: true },
  /** Per login, from anywhere: high, or a stranger could lock a person out. */
  failedLoginAccount: { points: 200, duration: 60 * MINUTE, shared: true },
  /** Per address: a whole school may sit behind one. */
  register: { points: 300, duration: 10 * MINUTE, shared: true },
  refresh: { points: 600, duration: 10 * MINUTE, shared: true },
  preLogin: { points: 600, duration: 10 * MINUTE, shared: true },
  /** Per login: letters to one mailbox. Per address: letters to many. */
  code: { points: 5, duration: 15 * MINUTE, shared: true },
  codeAddress: { points: 60, duration: 15 * MINUTE, shared: true },
  /** Per user: messages that could not be shown, a number at a time. */
  report: { points: 60, duration: MINUTE },
  /** Per user: pieces and ranges of files. Bytes are the quota's. */
  files: { points: 3_000, duration: 10 },
  /** Per address: upgrades of sockets. */
  connect: { points: 2_000, duration: 10 },
} as const satisfies Record<string, Limit>;
export type Rule = keyof typeof RULES;

export class RateLimits {
  readonly #limiters: ReadonlyMap<string, RateLimiterAbstract> | null;

  /** @param redis what is shared is kept there; null: this is the only node */
  constructor(enabled: boolean, redis: RedisClient | null) {
    const rules: [string, Limit][] = Object.entries(RULES);
    this.#limiters = enabled ? new Map(rules.map(([name, rule]) => [name, limiter(name, rule, redis)])) : null;
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

function limiter(name: string, { points, duration, shared }: Limit, redis: RedisClient | null): RateLimiterAbstract {
  const own = new RateLimiterMemory({ points, duration, keyPrefix: name });
  if (!shared || redis === null) return own;
  return new RateLimiterRedis({
    points,
    duration,
    keyPrefix: `parley:limit:${name}`,
    storeClient: redis,
    // While Redis is away each node counts for itself: a limit that is too high by then, but never none.
    rejectIfRedisNotReady: true,
    insuranceLimiter: own,
  });
}

function refusal(rule: Rule, state: unknown): unknown {
  if (!(state instanceof RateLimiterRes)) return state;
  return new ParleyError('TOO_MANY_REQUESTS', 'rate_limited', {
    retryAfterMs: Math.max(1, state.msBeforeNext),
    limit: RULES[rule].points,
  });
}
