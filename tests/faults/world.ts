/** The system under faults: real PostgreSQL with fsync on, real Redis, nodes and a worker as processes, a balancer in front. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { startEmbedded } from '#server/db/embedded';
import { migrate } from '#server/db/migrate';
import { readEnv } from '#server/env';
import { createLog } from '#server/observe/log';
import { loadSecrets } from '#server/secrets';
import { Tokens } from '../../src/server/auth/tokens.ts';
import type { Home } from '../harness/people.ts';
import { type ServerProcess, startProcess } from '../harness/process.ts';
import { newRedis, type TestRedis } from '../harness/redis.ts';
import { type Balancer, newBalancer } from './balancer.ts';

const TOKEN_S = 3_600;

export interface Node {
  readonly port: number;
  process: ServerProcess | null;
  start(): Promise<void>;
}

export interface World extends AsyncDisposable {
  /** Where clients connect: the balancer. */
  readonly home: Home;
  readonly sql: postgres.Sql;
  readonly redis: TestRedis;
  readonly nodes: readonly Node[];
  readonly balancer: Balancer;
  /** Of the PostgreSQL that runs now; killed, it comes back on the same port. */
  postmaster(): number;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address ? address.port : 0;
}

export async function newWorld(nodeCount: number): Promise<World> {
  const undo: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    return await build(nodeCount, undo, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function build(nodeCount: number, undo: (() => Promise<unknown>)[], close: () => Promise<void>): Promise<World> {
  const dispose = <T extends AsyncDisposable>(one: T): T => {
    undo.push(async () => one[Symbol.asyncDispose]());
    return one;
  };
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-faults-'));
  undo.push(() => rm(dataDir, { recursive: true, force: true }));
  const log = createLog({ level: 'silent' });
  const embedded = dispose(await startEmbedded({ dataDir, log, maxConnections: 300 }));
  await migrate(embedded.url, log);
  const redis = dispose(await newRedis({ appendOnly: true }));
  const env = {
    DATABASE_URL: embedded.url,
    REDIS_URL: redis.url,
    DATA_DIR: dataDir,
    RATE_LIMITS: 'off',
    ACCESS_TOKEN_TTL: String(TOKEN_S),
    DATABASE_POOL: '10',
    LOG_LEVEL: process.env.FAULTS_LOG ?? 'error',
  };
  const secrets = await loadSecrets(readEnv(env));
  const nodes: Node[] = [];
  for (let i = 0; i < nodeCount; i++) {
    const port = await freePort();
    const node: Node = {
      port,
      process: null,
      async start() {
        node.process = await startProcess({ ...env, PORT: String(port) });
        if (process.env.FAULTS_LOG) node.process.child.stdout?.pipe(process.stderr, { end: false });
      },
    };
    nodes.push(node);
  }
  undo.push(async () => {
    // A stopped process takes no SIGTERM.
    for (const { process: one } of nodes) one?.child.kill('SIGCONT');
    await Promise.all(nodes.map(async ({ process: one }) => one?.child.exitCode === null && one.end('SIGKILL')));
  });
  await Promise.all(nodes.map((node) => node.start()));
  const balancer = dispose(await newBalancer(nodes.map(({ port }) => port)));
  const sql = postgres(embedded.url, { max: 4, onnotice: () => {} });
  undo.push(() => sql.end({ timeout: 2 }));
  return {
    home: {
      url: `http://127.0.0.1:${balancer.port}`,
      wsUrl: `ws://127.0.0.1:${balancer.port}/trpc`,
      db: { sql },
      deps: { tokens: new Tokens(secrets.jwt, TOKEN_S, Date.now) },
    },
    sql,
    redis,
    nodes,
    balancer,
    postmaster: () => embedded.pid(),
    [Symbol.asyncDispose]: close,
  };
}
