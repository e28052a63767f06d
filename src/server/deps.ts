/** The parts a process is made of: built once, handed down through the context, disposed in reverse. */
import { Gate } from '#lib/gate';
import { AtRest } from './auth/at-rest.ts';
import { Passwords } from './auth/passwords.ts';
import { Revocations } from './auth/revocations.ts';
import { Tokens } from './auth/tokens.ts';
import type { Bus } from './bus/bus.ts';
import { gathering } from './bus/gathering.ts';
import { createMemoryBus } from './bus/memory.ts';
import { createRedisBus } from './bus/redis.ts';
import { Advances } from './db/advances.ts';
import { connect, type Db, type Sql } from './db/client.ts';
import { Writer } from './db/writer.ts';
import { TypingTimers } from './domain/typing.ts';
import type { Env } from './env.ts';
import { Audience } from './feed/audience.ts';
import { Cursors, readDatabaseTag } from './feed/cursor.ts';
import { Hub } from './feed/hub.ts';
import { Recent } from './feed/recent.ts';
import { ReceiptNews } from './feed/receipt-news.ts';
import { openStorage } from './files/open.ts';
import type { Storage } from './files/storage.ts';
import { Turns } from './files/turns.ts';
import { Offline } from './jobs/offline.ts';
import { createMail, type Mail } from './mail.ts';
import type { Logger } from './observe/log.ts';
import { createMetrics, type Metrics } from './observe/metrics.ts';
import { createMemoryPresence } from './presence/memory.ts';
import type { Presence } from './presence/presence.ts';
import { type PresenceTimes, RedisPresence } from './presence/redis.ts';
import { RateLimits } from './rate-limits.ts';
import { connectRedis } from './redis.ts';
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
  readonly passwords: Passwords;
  readonly atRest: AtRest;
  /** Null: codes are handed out by the operator. */
  readonly mail: Mail | null;
  readonly bus: Bus;
  readonly presence: Presence;
  readonly typing: TypingTimers;
  readonly writer: Writer;
  readonly advances: Advances;
  readonly receiptNews: ReceiptNews;
  readonly audience: Audience;
  readonly cursors: Cursors;
  readonly hub: Hub;
  /** Those who come back read what they missed a few at a time, and leave half of the pool to everybody else. */
  readonly replays: Gate;
  /** What they were given, for the next. */
  readonly recent: Recent;
  readonly files: { readonly storage: Storage; readonly turns: Turns };
  /** Notices who is to be told outside of the page; asleep until the queues are open (jobs/jobs.ts). */
  readonly offline: Offline;
  /** Milliseconds since 1970; tests may move it. */
  readonly now: () => number;
}

export interface DepsOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly databaseUrl: string;
  readonly processMetrics?: boolean;
  readonly checkDurability?: boolean;
  /** bcrypt's cost; lower only in tests. */
  readonly passwordCost?: number;
  readonly now?: () => number;
  /** Shorter in tests: nobody waits half a minute for a death. */
  readonly presenceTimes?: Partial<PresenceTimes>;
}

export async function createDeps(options: DepsOptions): Promise<Deps> {
  const { env, log, databaseUrl, processMetrics = false, checkDurability = true, now = Date.now } = options;
  const secrets = await loadSecrets(env);
  const { sql, hot, flights, db, close } = await connect({
    url: databaseUrl,
    pool: env.databasePool,
    log,
    checkDurability,
  });
  const redis = env.redisUrl === undefined ? null : await connectRedis(env.redisUrl, log);
  try {
    const revocations = new Revocations(env.accessTokenTtlS, now);
    await revocations.load(db);
    const writer = new Writer(flights);
    const bus = gathering(redis ? await createRedisBus(redis, log) : createMemoryBus(log), (id) =>
      writer.isWriting(id),
    );
    // What another node has ended has ended here too.
    bus.subscribe('sessions', (message) => {
      if (message.kind === 'revoked') revocations.add(message.sessionIds);
    });
    const stopFollowing = redis ? revocations.follow(db, log) : () => {};
    const presence = redis
      ? new RedisPresence({ redis, bus, db, log, ...(options.presenceTimes && { times: options.presenceTimes }) })
      : createMemoryPresence({ bus, db, log });
    const typing = new TypingTimers(bus);
    const hub = new Hub({ sql, db, bus, log });
    await hub.start();
    const metrics = createMetrics({ processMetrics, ...(redis && { isRedisUp: () => redis.isUp }) });
    const mail = createMail(env);
    const files = { storage: await openStorage(env), turns: new Turns() };
    const offline = new Offline({ sql, bus, presence, metrics, log });
    return {
      env,
      log,
      metrics,
      sql,
      db,
      secrets,
      tokens: new Tokens(secrets.jwt, env.accessTokenTtlS, now),
      revocations,
      limits: new RateLimits(env.rateLimits, redis?.commands ?? null),
      passwords: new Passwords(secrets.pepper, options.passwordCost),
      atRest: new AtRest(secrets.atRestKey),
      mail,
      bus,
      presence,
      typing,
      writer,
      advances: new Advances(hot),
      receiptNews: new ReceiptNews(bus),
      audience: new Audience(bus, db, (userId) => offline.returned(userId)),
      cursors: new Cursors(await readDatabaseTag(sql)),
      hub,
      replays: new Gate(Math.max(1, env.databasePool >> 1), Number.POSITIVE_INFINITY),
      recent: new Recent(),
      files,
      offline,
      now,
      async [Symbol.asyncDispose]() {
        // Whatever uses the pool ends before it.
        await files.turns.stopAll();
        hub.close();
        stopFollowing();
        typing.close();
        mail?.close();
        await presence.close();
        await bus.close();
        await redis?.[Symbol.asyncDispose]();
        await close();
      },
    };
  } catch (error) {
    await redis?.[Symbol.asyncDispose]();
    await close();
    throw error;
  }
}
