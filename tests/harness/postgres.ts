/** Once per run: a PostgreSQL (or TEST_DATABASE_URL) with a migrated template, from which every test file clones its own database. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { startEmbedded } from '#server/db/embedded';
import { migrate } from '#server/db/migrate';
import { createLog } from '#server/observe/log';

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string;
    templateName: string;
  }
}

export const withDatabase = (url: string, name: string): string => {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
};

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const log = createLog({ level: 'error' });
  const given = process.env.TEST_DATABASE_URL;
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-test-'));
  // Durability is off here and nowhere else: tests kill servers, never the machine.
  const embedded =
    given === undefined ? await startEmbedded({ dataDir, log, durable: false, maxConnections: 400 }) : null;
  const url = given ?? embedded?.url ?? '';
  const templateName = `parley_template_${process.pid}_${project.name}`;
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  await admin.unsafe(`drop database if exists ${templateName}`);
  await admin.unsafe(`create database ${templateName}`);
  await migrate(withDatabase(url, templateName), log);
  project.provide('databaseUrl', url);
  project.provide('templateName', templateName);
  return async () => {
    await admin.unsafe(`drop database if exists ${templateName} with (force)`);
    await admin.end();
    await embedded?.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
