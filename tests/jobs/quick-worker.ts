/** A worker that is missed sooner than a real one when it is killed. */
import { createDeps } from '#server/deps';
import { readEnv } from '#server/env';
import { startJobs } from '#server/jobs/jobs';
import { createLog } from '#server/observe/log';

const env = readEnv();
const databaseUrl = env.databaseUrl ?? '';
const deps = await createDeps({ env, log: createLog({ level: 'warn' }), databaseUrl, checkDurability: false });
const timing = JSON.parse(process.env.TIMING ?? '{}') as object;
await startJobs(deps, { databaseUrl, works: true, timing }).ready;
