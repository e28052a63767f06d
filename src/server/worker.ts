/** `npm run worker`: a process that does the jobs of the servers beside it, and nothing else. Acts by being imported. */
import { requireCurrentSchema } from './db/migrate.ts';
import { createDeps } from './deps.ts';
import { startJobs } from './jobs/jobs.ts';
import { live } from './lifecycle.ts';

live(async ({ env, log, onEnd }) => {
  const { databaseUrl, redisUrl } = env;
  if (databaseUrl === undefined || redisUrl === undefined)
    throw new Error(
      'A worker of its own needs DATABASE_URL and REDIS_URL, the same as the servers have. Without Redis the server process does the jobs itself.',
    );
  const deps = await createDeps({ env, log, databaseUrl, processMetrics: true });
  onEnd(async () => deps[Symbol.asyncDispose]());
  await requireCurrentSchema(deps.sql as never);
  const jobs = startJobs(deps, { databaseUrl, works: true });
  onEnd(() => jobs.close());
  await jobs.ready;
  process.stdout.write('The worker is ready\n');
});
