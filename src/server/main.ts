/** The process: environment, database, server, and an orderly end. The only file that acts by being imported. */
import { createApp } from './app.ts';
import { type Embedded, startEmbedded } from './db/embedded.ts';
import { migrate, requireCurrentSchema } from './db/migrate.ts';
import { createDeps } from './deps.ts';
import { type Env, readEnv } from './env.ts';
import { createLog, type Logger } from './observe/log.ts';

/** `npm start` migrates by itself; in production that is a step of its own, before the new version starts. */
const MIGRATE = process.argv.includes('--migrate');
/** Orchestrators kill after 10 s; ending by ourselves before that leaves a readable log. */
const END_MS = 9_500;

async function openDatabase(env: Env, log: Logger): Promise<{ url: string; embedded: Embedded | null }> {
  if (env.databaseUrl !== undefined) return { url: env.databaseUrl, embedded: null };
  const onLost = (error: Error) => fail(error, log);
  const maxConnections = env.databasePool + 20;
  const embedded = await startEmbedded({ dataDir: env.dataDir, log, maxConnections, onLost });
  return { url: embedded.url, embedded };
}

function fail(error: unknown, log?: Logger): never {
  log?.fatal({ err: error }, 'stopping');
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

async function start(): Promise<void> {
  const env = readEnv();
  const log = createLog({ level: env.logLevel });
  // One forgotten promise must not take down every open socket; an uncaught throw leaves unknown state, so it must.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'));
  process.on('uncaughtException', (error) => fail(error, log));

  const { url: databaseUrl, embedded } = await openDatabase(env, log);
  let stopping = false;
  const close: (() => Promise<unknown>)[] = embedded ? [() => embedded.stop()] : [];
  const stop = async (why: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'stopping');
    setTimeout(() => process.exit(1), END_MS).unref();
    for (const step of close.reverse())
      await step().catch((error: unknown) => log.error({ err: error }, 'while stopping'));
    log.info('stopped');
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));

  if (MIGRATE || embedded !== null) await migrate(databaseUrl, log);
  const deps = await createDeps({ env, log, databaseUrl, processMetrics: true });
  close.push(async () => deps[Symbol.asyncDispose]());
  await requireCurrentSchema(deps.sql as never);
  const app = createApp(deps);
  close.push(() => app.close());
  const { url } = await app.listen(env.port, env.host);
  process.stdout.write(`Parley is ready on ${url}\n`);
}

start().catch((error: unknown) => {
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
    fail(new Error('The port is in use. Stop the other program, or choose another port: PORT=3001 npm start'));
  fail(error);
});
