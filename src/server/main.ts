/** The server process: environment, database, server, jobs. Acts by being imported. */
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { createApp } from './app.ts';
import { lead, tellLeader } from './cluster.ts';
import { startEmbedded } from './db/embedded.ts';
import { migrate, requireCurrentSchema } from './db/migrate.ts';
import { createDeps } from './deps.ts';
import type { Jobs } from './jobs/jobs.ts';
import { type Life, live } from './lifecycle.ts';

/**
 * How V8 collects garbage (docs/decisions/0018-die-young.md). Said here, it holds however the server is started.
 * - It learns where objects tend to live long and makes them in the old generation at once. Here these are what a query holds
 *   while it waits: one that is made there keeps alive what the next one holds, and so on until the next full collection.
 * - A full collection marks with four threads, on a machine that may have two cores, and messages wait for 25 ms. It may come
 *   when the old generation has grown by a third; here when it is three times what the last one left.
 */
for (const flag of ['--no-allocation-site-pretenuring', '--heap-growing-percent=200']) setFlagsFromString(flag);

/** `npm start` migrates by itself; in production that is a step of its own, before the new version starts. */
const MIGRATE = process.argv.includes('--migrate');
/** Of each process, beside the pool: the hot path, the queues, a migrator, and what PostgreSQL keeps for its superuser. */
const MORE_CONNECTIONS = 26;

async function openDatabase({ env, log, onEnd, fail }: Life): Promise<string> {
  if (env.databaseUrl !== undefined) return env.databaseUrl;
  const maxConnections = env.processes * (env.databasePool + MORE_CONNECTIONS);
  const embedded = await startEmbedded({ dataDir: env.dataDir, log, maxConnections, onLost: fail });
  onEnd(() => embedded.stop());
  return embedded.url;
}

live(async (life) => {
  const { env, log, onEnd } = life;
  const databaseUrl = await openDatabase(life);
  if (MIGRATE || env.databaseUrl === undefined) await migrate(databaseUrl, log);
  if (env.processes > 1 && cluster.isPrimary) return lead(life, databaseUrl, fileURLToPath(import.meta.url));
  const deps = await createDeps({ env, log, databaseUrl, processMetrics: true });
  onEnd(async () => deps[Symbol.asyncDispose]());
  await requireCurrentSchema(deps.sql as never);
  const app = createApp(deps);
  let jobs: Promise<Jobs> | undefined;
  onEnd(async () => {
    const running = await jobs;
    // Together: running jobs end while the last calls are answered. What those still commit is noticed.
    await Promise.all([app.close(), running?.stopWork()]);
    await running?.close();
  });
  const { url } = await app.listen(env.port, env.host).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Error('The port is in use. Stop the other program, or choose another port: PORT=3001 npm start');
  });
  if (cluster.isWorker) tellLeader(url);
  else process.stdout.write(`Parley is ready on ${url}\n`);
  // Loaded when people can come in already: it takes a moment, and nobody waits for it.
  jobs = import('./jobs/jobs.ts').then(({ startJobs }) => startJobs(deps, { databaseUrl, works: env.jobs }));
  await jobs;
  if (!env.jobs && env.redisUrl === undefined)
    log.warn(
      'JOBS=off without REDIS_URL: there is no worker for the jobs of this process, and nobody is told of anything',
    );
});
