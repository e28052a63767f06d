/** A redis-server of one's own on a free port, to be killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

export interface RedisOptions {
  /** Keeps what it has over a kill. */
  readonly appendOnly?: boolean;
  /** A cluster with one node, which has all slots. */
  readonly cluster?: boolean;
}

export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** For looking behind the server's back. */
  readonly client: Redis;
  /** kill -9, and everything is gone unless `appendOnly`. */
  kill(): Promise<void>;
  /** The same again, on the same port, unless it is running. */
  start(): Promise<void>;
  /** SIGSTOP: it is there and does not answer. */
  freeze(): void;
  thaw(): void;
}

export async function newRedis(options: RedisOptions = {}): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-redis-'));
  const port = await freePort();
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});
  let child: ChildProcess | undefined;

  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null;

  async function start(): Promise<void> {
    if (isRunning()) return;
    const settings = [
      '--port',
      port,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      dir,
      '--maxmemory-policy',
      'noeviction',
    ];
    settings.push('--appendonly', options.appendOnly ? 'yes' : 'no');
    if (options.cluster)
      settings.push(
        '--cluster-enabled',
        'yes',
        '--cluster-announce-ip',
        '127.0.0.1',
        '--cluster-port',
        await freePort(),
      );
    child = spawn('redis-server', settings.map(String), { stdio: 'ignore' });
    const failed = new Promise<never>((_, reject) => {
      child?.once('error', () =>
        reject(new Error('redis-server is missing. Install it: apt-get install -y redis-server')),
      );
    });
    if (client.status === 'wait') client.connect().catch(() => {});
    await Promise.race([client.ping(), failed]);
  }
  async function kill(): Promise<void> {
    if (!child || !isRunning()) return;
    const gone = new Promise((done) => child?.once('exit', done));
    child.kill('SIGKILL');
    await gone;
  }

  await start();
  if (options.cluster) {
    await client.cluster('ADDSLOTSRANGE', 0, 16_383);
    while (!String(await client.cluster('INFO')).includes('cluster_state:ok'))
      await new Promise((d) => setTimeout(d, 20));
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    client,
    kill,
    start,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
