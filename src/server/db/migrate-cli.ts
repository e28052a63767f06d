/** `npm run db:migrate`: migrates DATABASE_URL, or the embedded database when it is unset. */
import { readEnv } from '../env.ts';
import { createLog } from '../observe/log.ts';
import { startEmbedded } from './embedded.ts';
import { migrate } from './migrate.ts';

try {
  const env = readEnv();
  const log = createLog({ level: env.logLevel });
  const embedded = env.databaseUrl === undefined ? await startEmbedded({ dataDir: env.dataDir, log }) : null;
  try {
    const applied = await migrate(env.databaseUrl ?? embedded?.url ?? '', log);
    process.stdout.write(applied === 0 ? 'The schema is current.\n' : `${applied} migration(s) applied.\n`);
  } finally {
    await embedded?.stop();
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
