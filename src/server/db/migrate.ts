/**
 * Brings the schema forward: once, whoever starts at the same time, and never reporting success over a skipped file.
 * BullMQ's own schema, in which the jobs wait when there is no Redis, comes along under the same lock.
 */
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { migrate as applyAll } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import type { Logger } from '../observe/log.ts';
import { packageRoot } from '../package-root.ts';

const FOLDER = join(packageRoot, 'drizzle');
/** Any fixed number; it only has to be the same in every process. */
const LOCK = 7_274_001;
const LOCK_WAIT_MS = 120_000;

/** The schema of the installed BullMQ (its LATEST_SCHEMA_VERSION). Written down, because loading BullMQ costs each start 0.2 s. */
export const JOBS_SCHEMA = 11;

type Connection = postgres.Sql;

/** Migrations of this version that the database has not seen, and whether it has seen some that we do not know. */
export interface SchemaState {
  readonly missing: number;
  readonly newer: boolean;
  /** BullMQ's schema is missing or older than this version of it. */
  readonly jobsMissing: boolean;
}

export async function schemaState(sql: Connection): Promise<SchemaState> {
  const wanted = readMigrationFiles({ migrationsFolder: FOLDER }).map((migration) => migration.folderMillis);
  const [table] = await sql`select to_regclass('drizzle.__drizzle_migrations') is not null as present`;
  const jobsMissing = (await jobsSchema(sql)) < JOBS_SCHEMA;
  if (!table?.present) return { missing: wanted.length, newer: false, jobsMissing };
  const rows = await sql`select created_at::text as at from drizzle.__drizzle_migrations`;
  const applied = new Set(rows.map((row) => Number(row.at)));
  const newest = Math.max(0, ...wanted);
  return {
    missing: wanted.filter((at) => !applied.has(at)).length,
    newer: [...applied].some((at) => at > newest),
    jobsMissing,
  };
}

async function jobsSchema(sql: Connection): Promise<number> {
  const [table] = await sql`select to_regclass('bullmq.migration') is not null as present`;
  if (!table?.present) return 0;
  const [row] = await sql`select coalesce(max(version), 0)::int as version from bullmq.migration`;
  return Number(row?.version ?? 0);
}

async function migrateJobs(sql: Connection): Promise<void> {
  const { runMigrations } = await import('bullmq');
  const query = async (text: string, values?: readonly unknown[]) => ({
    rows: [...(await sql.unsafe(text, values as never))] as never[],
  });
  await runMigrations({ query });
}

/** @throws Error that says what to run, when the schema is older than this version. A newer one is fine: expand, then contract. */
export async function requireCurrentSchema(sql: Connection): Promise<void> {
  const { missing, jobsMissing } = await schemaState(sql);
  if (missing > 0)
    throw new Error(`The database lacks ${missing} migration(s) of this version. Run: npm run db:migrate`);
  if (jobsMissing) throw new Error('The database lacks the schema of the job queues. Run: npm run db:migrate');
}

/** Safe to run from any number of processes at once. @returns how many migrations were applied. */
export async function migrate(url: string, log: Logger): Promise<number> {
  // One connection: the lock and the migration must share a session.
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    await takeLock(sql);
    const before = await schemaState(sql);
    if (before.jobsMissing) await migrateJobs(sql);
    if (before.missing === 0) return before.jobsMissing ? 1 : 0;
    await applyAll(drizzle({ client: sql }), { migrationsFolder: FOLDER });
    const after = await schemaState(sql);
    // drizzle compares with the newest applied one only: a file that was merged later but made earlier is passed over.
    if (after.missing > 0)
      throw new Error(
        `${after.missing} migration(s) are older than the newest applied one and were skipped. Generate them again (npm run db:generate) on top of the others.`,
      );
    log.info({ applied: before.missing }, 'database migrated');
    return before.missing;
  } finally {
    await sql.end();
  }
}

async function takeLock(sql: Connection): Promise<void> {
  const until = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    const [row] = await sql`select pg_try_advisory_lock(${LOCK}) as taken`;
    if (row?.taken) return;
    if (Date.now() > until) throw new Error(`another process has been migrating for ${LOCK_WAIT_MS / 1000} s`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
