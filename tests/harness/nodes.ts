/** Several servers in this process that are one system: one database, one Redis, the same secrets. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PresenceTimes } from '#server/presence/redis';
import { newDb, type TestDb } from './db.ts';
import { newServer, type TestServer } from './server.ts';

/** Everything of presence that takes seconds, in fractions of them. */
export const QUICK: PresenceTimes = { graceMs: 600, beatMs: 200, deadMs: 1_500, settleMs: 500, leaveMs: 600 };

export interface Nodes extends AsyncDisposable {
  readonly db: TestDb;
  readonly all: readonly TestServer[];
  /** One more, which joins the others. */
  add(): Promise<TestServer>;
}

export async function newNodes(redisUrl: string, count: number): Promise<Nodes> {
  const db = await newDb();
  const dir = await mkdtemp(join(tmpdir(), 'parley-nodes-'));
  const all: TestServer[] = [];
  const add = async () => {
    const env = { REDIS_URL: redisUrl, SECRETS_FILE: join(dir, 'secrets.json') };
    const server = await newServer({ db, env, presenceTimes: QUICK });
    all.push(server);
    return server;
  };
  for (let i = 0; i < count; i++) await add();
  return {
    db,
    all,
    add,
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((server) => server[Symbol.asyncDispose]()));
      await db[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
