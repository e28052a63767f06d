/** A whole server on a free port, with a database of its own. It can be restarted, and its log is kept for looking. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '#server/app';
import { createDeps, type Deps } from '#server/deps';
import { readEnv } from '#server/env';
import { createLog } from '#server/observe/log';
import type { PresenceTimes } from '#server/presence/redis';
import { newDb, type TestDb } from './db.ts';

export interface ServerOptions {
  /** Environment variables, as an operator would set them. */
  readonly env?: Record<string, string>;
  /** An existing database instead of a fresh one; it is then not dropped here. */
  readonly db?: TestDb;
  readonly now?: () => number;
  readonly presenceTimes?: Partial<PresenceTimes>;
}

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly wsUrl: string;
  readonly deps: Deps;
  readonly db: TestDb;
  readonly app: App;
  /** Every line logged so far, at level trace. */
  readonly logs: string[];
  /** Stops in an orderly way and starts again on the same port, database and secrets. */
  restart(): Promise<void>;
}

export async function newServer(options: ServerOptions = {}): Promise<TestServer> {
  const db = options.db ?? (await newDb());
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-data-'));
  const logs: string[] = [];
  const log = createLog({ level: 'trace', destination: { write: (line) => void logs.push(line) } });
  let port = 0;

  async function start() {
    const env = readEnv({
      DATA_DIR: dataDir,
      RATE_LIMITS: 'off',
      DATABASE_POOL: '8',
      PORT: String(port),
      ...options.env,
    });
    const now = options.now ? { now: options.now } : {};
    const times = options.presenceTimes ? { presenceTimes: options.presenceTimes } : {};
    const deps = await createDeps({
      env,
      log,
      databaseUrl: db.url,
      checkDurability: false,
      passwordCost: 4,
      ...now,
      ...times,
    });
    const app = createApp(deps);
    const bound = await app.listen(port, '127.0.0.1');
    port = bound.port;
    return { deps, app };
  }
  async function stop() {
    await running.app.close();
    await running.deps[Symbol.asyncDispose]();
  }
  let running = await start();

  return {
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}/trpc`,
    get deps() {
      return running.deps;
    },
    get app() {
      return running.app;
    },
    db,
    logs,
    async restart() {
      await stop();
      running = await start();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      if (options.db === undefined) await db[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
