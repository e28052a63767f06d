/** Migrations: once, whoever starts at the same time, and never behind without a word. */
import { randomBytes } from 'node:crypto';
import { LATEST_SCHEMA_VERSION } from 'bullmq';
import postgres from 'postgres';
import { describe, expect, inject, test } from 'vitest';
import { JOBS_SCHEMA, migrate, requireCurrentSchema, schemaState } from '#server/db/migrate';
import { createLog } from '#server/observe/log';
import { withDatabase } from '../harness/postgres.ts';

const log = createLog({ level: 'silent' });

describe('migrate', () => {
  test("the version of the queues' schema is that of the installed BullMQ", () => {
    expect(JOBS_SCHEMA).toBe(LATEST_SCHEMA_VERSION);
  });

  test('[P32] of many starting at once one migrates, all succeed; before that the server refuses', async () => {
    const name = `parley_migrate_${randomBytes(4).toString('hex')}`;
    const admin = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
    await admin.unsafe(`create database ${name}`);
    const url = withDatabase(inject('databaseUrl'), name);
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    try {
      await expect(requireCurrentSchema(sql)).rejects.toThrow('npm run db:migrate');
      const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(url, log)));
      expect(applied.filter((count) => count > 0)).toHaveLength(1);
      expect(await schemaState(sql)).toEqual({ missing: 0, newer: false, jobsMissing: false });
      await requireCurrentSchema(sql);
      // A database that a newer version has migrated already: the older one keeps working during the roll-out.
      await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('future', ${String(Date.now() * 2)})`;
      expect(await schemaState(sql)).toEqual({ missing: 0, newer: true, jobsMissing: false });
      await requireCurrentSchema(sql);
      // A database from before there were queues.
      await sql`drop schema bullmq cascade`;
      await expect(requireCurrentSchema(sql)).rejects.toThrow('npm run db:migrate');
      expect(await migrate(url, log)).toBe(1);
      await requireCurrentSchema(sql);
    } finally {
      await sql.end();
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    }
  });
});
