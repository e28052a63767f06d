/** The connection pool, with the limits every connection gets, and the check that Postgres keeps what it acknowledges. */
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import type { Logger } from '../observe/log.ts';

/** postgres.js itself, for hand-written statements. `int8` arrives as a number; dates arrive as text (drizzle's doing). */
export type Sql = postgres.Sql<{ int8: number }>;
export type Db = PostgresJsDatabase;
/** What `db.transaction` gives. Domain functions that must be part of a transaction take this. */
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0];

/** Sequence numbers and versions stay below 2^53, so plain numbers are exact. */
const int8 = { to: 20, from: [20], parse: Number, serialize: String };

/**
 * The rows of an answer, which is left empty: queries that are over live on until a full collection, with all that they hold
 * (docs/decisions/0018-die-young.md). For where that is much.
 */
export function takeRows<T>(answer: T[]): T[] {
  const rows = [...answer];
  answer.length = 0;
  return rows;
}

export const isUniqueViolation = (error: unknown) => (error as { code?: unknown }).code === '23505';

/** No statement of ours is slow; these cut off what would hold locks or keep the feed's snapshot from advancing. */
const LIMITS_MS = { statement_timeout: 30_000, lock_timeout: 10_000, idle_in_transaction_session_timeout: 10_000 };
/** Its name is known from PostgreSQL 17 on; older servers would refuse the connection. */
const TRANSACTION_TIMEOUT_MS = 30_000;

/**
 * For the hand-written statements of the hot path. Their plans are made once, and must be right for the tables as they
 * will be, not as they are: planned on an empty table they would read it whole for ever after. Whatever is looked up for
 * each row of a batch stands in a lateral query with `limit 1` besides: a join may still be planned as a walk over the whole
 * index, which costs next to nothing while there is next to nothing. What is updated is joined even so; with fewer than some
 * twenty rows it may be walked over until autovacuum has looked again, a minute later.
 */
const HOT = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
};
/** Connections that only write messages, one for each flight of the writer: their backends stay warm for it. */
const FLIGHTS = 3;
const HOT_CONNECTIONS = 2;

export interface Connected {
  readonly sql: Sql;
  /** For receipts, see HOT. */
  readonly hot: Sql;
  /** For messages, see FLIGHTS. */
  readonly flights: readonly Sql[];
  readonly db: Db;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly url: string;
  readonly pool: number;
  readonly log: Logger;
  /** False in tests, where durability is off on purpose. */
  readonly checkDurability?: boolean;
}

export async function connect({ url, pool, log, checkDurability = true }: ConnectOptions): Promise<Connected> {
  const facts = await inspect(url);
  if (checkDurability && !facts.durable)
    log.error(
      facts.settings,
      'DANGER: this PostgreSQL may lose acknowledged messages in a crash. Set fsync, full_page_writes and synchronous_commit to on.',
    );
  const open = (max: number, settings: Record<string, string>) =>
    postgres(url, {
      max,
      connect_timeout: 10,
      onnotice: () => {},
      types: { int8 },
      connection: {
        application_name: 'parley',
        ...LIMITS_MS,
        ...(facts.version >= 170_000 ? { transaction_timeout: TRANSACTION_TIMEOUT_MS } : {}),
        ...settings,
      },
    }) as unknown as Sql;
  const [sql, hot] = [open(pool, {}), open(HOT_CONNECTIONS, HOT)];
  const flights = Array.from({ length: FLIGHTS }, () => open(1, HOT));
  const close = async () => void (await Promise.all([sql, hot, ...flights].map((one) => one.end({ timeout: 5 }))));
  return { sql, hot, flights, db: drizzle({ client: sql as never }) as Db, close };
}

async function inspect(url: string) {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    const [row] = await sql`
      select current_setting('server_version_num')::int as version, current_setting('fsync') as fsync,
             current_setting('full_page_writes') as full_page_writes, current_setting('synchronous_commit') as synchronous_commit`;
    const settings = {
      fsync: String(row?.fsync),
      full_page_writes: String(row?.full_page_writes),
      synchronous_commit: String(row?.synchronous_commit),
    };
    const durable =
      settings.fsync === 'on' && settings.full_page_writes === 'on' && settings.synchronous_commit !== 'off';
    const version = Number(row?.version);
    if (version < 150_000) throw new Error(`PostgreSQL 15 or later is needed; this one is ${version}`);
    return { version, settings, durable };
  } finally {
    await sql.end();
  }
}
