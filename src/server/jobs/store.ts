/**
 * Where the jobs are kept: BullMQ on Redis, or on Postgres when this is the only node. The connections are this file's own,
 * because BullMQ leaves the ones it is given open and wants them in ways that suit nobody else.
 */
import type { Processor, Queue, Worker } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import type { Logger } from '../observe/log.ts';
import { jobOptions, QUEUE_NAMES, QUEUES, type QueueName, type Timing } from './queues.ts';

export interface Store {
  readonly queues: Readonly<Record<QueueName, Queue>>;
  /** Takes jobs until it is closed. */
  work(queue: QueueName, processor: Processor): Promise<void>;
  /** Takes no more jobs, waits for the running ones, at most so many milliseconds. What is cut off is done again elsewhere. */
  stopWork(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly redisUrl: string | undefined;
  readonly databaseUrl: string;
  /** Whether `work` will be called: workers need a connection each. */
  readonly works: boolean;
  readonly timing: Timing;
  readonly log: Logger;
}

/** Bull Board and BullMQ's own tools look here. */
const PREFIX = 'bull';
/** An add that takes longer is given up: the sweep makes the job later. */
const COMMAND_MS = 3_000;
const CONNECT_MS = 10_000;
/** Seconds a worker waits for a job before it asks again, just to be sure. Postgres announces jobs, so once a minute will do. */
const DRAIN_S = { redis: 5, postgres: 60 };
const RETRY_MS = 5_000;

/** BullMQ's classes bound to one backend, and the connections under them. */
interface Backend {
  queue(name: QueueName, options: object): Queue;
  worker(name: QueueName, processor: Processor, options: object): Worker;
  disconnect(): Promise<void>;
  readonly drainDelay: number;
}

/** @throws when the store cannot be reached now; nothing is left open then. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { timing } = options;
  const say = sparingly(options.log);
  const backend = await (options.redisUrl === undefined
    ? onPostgres(options, say)
    : onRedis(options.redisUrl, options.works, say));
  const workers: Worker[] = [];
  const open: Queue[] = [];
  const close = async () => {
    await Promise.allSettled(open.map((queue) => within(CONNECT_MS, queue.close())));
    await backend.disconnect();
  };
  try {
    const queues = {} as Record<QueueName, Queue>;
    for (const name of QUEUE_NAMES) {
      const queue = backend.queue(name, { defaultJobOptions: jobOptions(name, timing) });
      queue.on('error', say);
      open.push(queue);
      queues[name] = queue;
    }
    await within(CONNECT_MS, Promise.all(open.map((queue) => queue.waitUntilReady())));
    return {
      queues,
      async work(name, processor) {
        const worker = backend.worker(name, processor, {
          concurrency: QUEUES[name].concurrency,
          lockDuration: timing.lock,
          stalledInterval: timing.stalled,
          // A worker may be killed in every deploy; what a job does is safe to repeat.
          maxStalledCount: 3,
          drainDelay: backend.drainDelay,
          runRetryDelay: RETRY_MS,
        });
        worker.on('error', say);
        workers.push(worker);
        await within(CONNECT_MS, worker.waitUntilReady());
      },
      async stopWork(withinMs) {
        const done = Promise.allSettled(workers.map((worker) => worker.close()));
        await within(withinMs, done).catch(() => options.log.warn('jobs were cut off; others will do them'));
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Whoever adds must not wait for a Redis that is away. */
const ADDING = {
  lazyConnect: true,
  maxRetriesPerRequest: 1,
  commandTimeout: COMMAND_MS,
  connectTimeout: COMMAND_MS,
} as const;
/** Workers wait for as long as it takes; BullMQ insists. */
const WORKING = { lazyConnect: true, maxRetriesPerRequest: null } as const;
const retryStrategy = (times: number) => Math.min(2_000, 100 * 2 ** times) * (0.5 + Math.random() / 2);

async function onRedis(url: string, works: boolean, say: (error: Error) => void): Promise<Backend> {
  const [{ Queue, Worker }, { Cluster, Redis }] = await Promise.all([import('bullmq'), import('ioredis')]);
  const clients: (Redis | Cluster)[] = [];
  const disconnect = async () => clients.forEach((one) => one.disconnect());
  const connect = async (client: Redis | Cluster) => {
    clients.push(client);
    client.on('error', say);
    await within(CONNECT_MS, client.connect());
    return client;
  };
  try {
    const single = new Redis(url, { ...ADDING, enableOfflineQueue: false, retryStrategy });
    await connect(single);
    const isCluster = /cluster_enabled:1/.test(await single.info('cluster'));
    const { host = '127.0.0.1', port = 6379, username, password, tls } = single.options;
    const login = { ...(username && { username }), ...(password && { password }), ...(tls && { tls }) };
    const open = (options: typeof ADDING | typeof WORKING) => {
      const enableOfflineQueue = options === WORKING;
      if (!isCluster) return new Redis(url, { ...options, enableOfflineQueue, retryStrategy });
      const redisOptions = { ...options, ...login };
      const cluster = { lazyConnect: true, enableOfflineQueue, clusterRetryStrategy: retryStrategy, redisOptions };
      return new Cluster([{ host, port }], cluster);
    };
    if (isCluster) single.disconnect();
    const adding = (isCluster ? await connect(open(ADDING)) : single) as never;
    const working = works ? ((await connect(open(WORKING))) as never) : adding;
    // The scripts of a queue touch several keys at once: in a cluster they have to lie together.
    const prefix = isCluster ? `{${PREFIX}}` : PREFIX;
    return {
      queue: (name, options) => new Queue(name, { ...options, prefix, connection: adding }),
      worker: (name, processor, options) => new Worker(name, processor, { ...options, prefix, connection: working }),
      disconnect,
      drainDelay: DRAIN_S.redis,
    };
  } catch (error) {
    await disconnect();
    throw error;
  }
}

async function onPostgres(
  { databaseUrl, works }: Pick<StoreOptions, 'databaseUrl' | 'works'>,
  say: (error: Error) => void,
): Promise<Backend> {
  const [{ withBackend, createPostgresBackend }, { default: pg }] = await Promise.all([import('bullmq'), import('pg')]);
  const { Queue, Worker } = withBackend(createPostgresBackend);
  // One pool for all of them; each worker keeps one connection for listening.
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: POSTGRES_CONNECTIONS - (works ? 0 : QUEUE_NAMES.length),
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: CONNECT_MS,
    // With it a worker trusts its listening, and does not ask every ten seconds.
    keepAlive: true,
    application_name: 'parley-jobs',
    options: '-c search_path=bullmq',
  });
  pool.on('error', say);
  try {
    // BullMQ remembers a first connection that failed for ever: make sure that it does not.
    await pool.query('select 1');
  } catch (error) {
    await pool.end();
    throw error;
  }
  const connection = pool as never;
  return {
    queue: (name, options) => new Queue(name, { ...options, connection }) as unknown as Queue,
    worker: (name, processor, options) => new Worker(name, processor, { ...options, connection }) as unknown as Worker,
    disconnect: () => within(CONNECT_MS, pool.end()),
    drainDelay: DRAIN_S.postgres,
  };
}
/** What the queues take of a Postgres, workers included. */
export const POSTGRES_CONNECTIONS = QUEUE_NAMES.length + 3;

/** A store that is away makes every connection complain, and again: one line in ten seconds says as much. */
function sparingly(log: Logger): (error: Error) => void {
  let last = 0;
  return (error) => {
    if (Date.now() - last < 10_000) return;
    last = Date.now();
    log.warn({ err: error }, 'jobs: trouble with the store');
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`not done within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
