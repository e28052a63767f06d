/** A database of one's own: cloned from the migrated template in some 40 ms, dropped at the end. */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';
import { withDatabase } from './postgres.ts';

export interface TestDb extends AsyncDisposable {
  readonly url: string;
  /** For looking behind the server's back. */
  readonly sql: postgres.Sql;
}

export async function newDb(): Promise<TestDb> {
  const url = inject('databaseUrl');
  if (!url) throw new Error('This test needs PostgreSQL: name the file *.pg.test.ts (or *.e2e.ts)');
  const name = `parley_test_${randomBytes(6).toString('hex')}`;
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  await admin.unsafe(`create database ${name} template ${inject('templateName')}`);
  const sql = postgres(withDatabase(url, name), { max: 2, onnotice: () => {} });
  return {
    url: withDatabase(url, name),
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 2 });
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}
