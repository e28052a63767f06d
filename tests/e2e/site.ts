/** The built product as a process of its own on one port, with its own database; it can be stopped, killed and started again. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newDb, type TestDb } from '../harness/db.ts';
import { leaks } from './plaintext.ts';
import { type ServerProcess, startProcess } from '../harness/process.ts';

export interface Site extends AsyncDisposable {
  readonly url: string;
  readonly db: TestDb;
  /** Of the process: for the operator's commands. */
  readonly env: Record<string, string>;
  start(): Promise<void>;
  /** SIGKILL is a crash, SIGTERM an orderly stop. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Everything every run of it has written, at level trace. */
  logs(): string;
  /** The content of every file it keeps. */
  files(): Promise<string[]>;
}

const freePort = () =>
  new Promise<number>((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** `more`: other settings of the server. */
export async function newSite(more: Record<string, string> = {}): Promise<Site> {
  const db = await newDb();
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-e2e-'));
  const port = await freePort();
  const past: ServerProcess[] = [];
  let running: ServerProcess | null = null;

  const env = {
    DATABASE_URL: db.url,
    DATA_DIR: dataDir,
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'trace',
    ...more,
  };

  const site: Site = {
    url: `http://127.0.0.1:${port}`,
    db,
    env,
    async start() {
      running = await startProcess(env);
      past.push(running);
    },
    async stop(signal) {
      await running?.end(signal);
      running = null;
    },
    logs: () => past.map((one) => one.output()).join('\n'),
    async files() {
      const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      return Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')));
    },
    async [Symbol.asyncDispose]() {
      await site.stop('SIGTERM');
      // [P29] Whatever a file of tests has sent, in all that the server keeps and says.
      const seen = await leaks({ sql: db.sql, files: await site.files(), logs: site.logs() });
      await db[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
      if (seen.length > 0) throw new Error(`the server has seen what was sealed: ${seen.join(' | ')}`);
    },
  };
  await site.start();
  return site;
}
