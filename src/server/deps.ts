/** The parts a process is made of: built once, handed down through the context, disposed in reverse. */
import { Revocations } from './auth/revocations.ts';
import { Tokens } from './auth/tokens.ts';
import { connect, type Db, type Sql } from './db/client.ts';
import type { Env } from './env.ts';
import type { Logger } from './observe/log.ts';
import { createMetrics, type Metrics } from './observe/metrics.ts';
import { RateLimits } from './rate-limits.ts';
import { loadSecrets, type Secrets } from './secrets.ts';

export interface Deps extends AsyncDisposable {
  readonly env: Env;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly sql: Sql;
  readonly db: Db;
  readonly secrets: Secrets;
  readonly tokens: Tokens;
  readonly revocations: Revocations;
  readonly limits: RateLimits;
  /** Milliseconds since 1970; tests may move it. */
  readonly now: () => number;
}

export interface DepsOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly databaseUrl: string;
  readonly processMetrics?: boolean;
  readonly checkDurability?: boolean;
  readonly now?: () => number;
}

export async function createDeps(options: DepsOptions): Promise<Deps> {
  const { env, log, databaseUrl, processMetrics = false, checkDurability = true, now = Date.now } = options;
  const secrets = await loadSecrets(env);
  const { sql, db, close } = await connect({ url: databaseUrl, pool: env.databasePool, log, checkDurability });
  try {
    const revocations = new Revocations(env.accessTokenTtlS, now);
    await revocations.load(db);
    // Bus, presence, writer and feed join here; whatever holds a connection is disposed before the pool.
    return {
      env,
      log,
      metrics: createMetrics({ processMetrics }),
      sql,
      db,
      secrets,
      tokens: new Tokens(secrets.jwt, env.accessTokenTtlS, now),
      revocations,
      limits: new RateLimits(env.rateLimits),
      now,
      async [Symbol.asyncDispose]() {
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
