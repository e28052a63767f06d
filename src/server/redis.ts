/**
 * The connections to Redis. What lives there makes several nodes one system and can all be made anew, so a process starts
 * and goes on without it: commands then fail at once instead of waiting, and the connections come back by themselves.
 */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Logger } from './observe/log.ts';

export type RedisClient = Redis | Cluster;

export interface RedisLink extends AsyncDisposable {
  /** Presence and counters. Commands of one tick share a round trip. */
  readonly commands: RedisClient;
  /** Apart from `commands`: a large answer there must not delay a message here. */
  readonly publisher: RedisClient;
  /** Given over to subscriptions. */
  readonly subscriber: RedisClient;
  readonly isCluster: boolean;
  /** Whether commands can be sent now. */
  readonly isUp: boolean;
}

/** How long a start waits for Redis before it goes on without. */
const START_MS = 2_000;
/** Often enough to be back within a second of its return, seldom enough to cost nothing while it is away. */
const RETRY = { firstMs: 50, mostMs: 500 };
/** Subscriptions are silent: only a question tells a dead connection from a quiet one. */
const PING_MS = 2_000;

const retryDelay = (times: number) => Math.min(RETRY.firstMs * times, RETRY.mostMs) * (0.75 + Math.random() / 2);

const OPTIONS = {
  lazyConnect: true,
  // What is written to Redis is a hint or is repeated: better to fail now than to be queued and come late.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // The bus knows what it wants to hear.
  autoResubscribe: false,
  connectTimeout: 2_000,
  commandTimeout: 2_000,
  /** Without an answer for so long the connection is given up and made anew. */
  socketTimeout: 4_000,
} satisfies RedisOptions;

/** Resolves after START_MS at the latest, connected or not. */
export async function connectRedis(url: string, log: Logger): Promise<RedisLink> {
  const probe = new Redis(url, { ...OPTIONS, retryStrategy: retryDelay, enableAutoPipelining: true });
  const quiet = complainOnce(probe, log);
  const ready = new Promise<true>((done) => probe.once('ready', () => done(true)));
  // Rejects with the first attempt; the next ones follow by themselves.
  probe.connect().catch(() => {});
  const answered = (await within(START_MS, ready)) ?? false;
  if (!answered) log.warn('Redis does not answer: starting without it, and going on to try');
  const isCluster = answered && (await examine(probe, log));
  if (isCluster) {
    quiet();
    probe.disconnect();
    return openCluster(probe.options, log);
  }
  // Not known before it answered: then the nodes of a cluster would look for each other in different places.
  if (!answered)
    probe.once('ready', () => {
      void examine(probe, log).then(
        (late) => late && log.error('Redis is a cluster, which could not be seen at the start: restart this process'),
      );
    });
  const another = () => {
    const client = probe.duplicate({ enableAutoPipelining: false });
    client.connect().catch(() => {});
    client.on('error', () => {});
    return client;
  };
  return link([probe, another(), another()], false);
}

function openCluster({ host, port, username, password, tls }: RedisOptions, log: Logger): RedisLink {
  const client = (pipelined: boolean) => {
    const cluster = new Cluster([{ host: host ?? '127.0.0.1', port: port ?? 6379 }], {
      clusterRetryStrategy: retryDelay,
      clusterNodeRetryStrategy: retryDelay,
      enableOfflineQueue: false,
      enableAutoPipelining: pipelined,
      shardedSubscribers: true,
      slotsRefreshInterval: 2_000,
      redisOptions: {
        ...OPTIONS,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(tls === undefined ? {} : { tls }),
      },
      lazyConnect: true,
    });
    cluster.connect().catch(() => {});
    return cluster;
  };
  const [commands, publisher, subscriber] = [client(true), client(true), client(false)];
  complainOnce(commands, log);
  for (const other of [publisher, subscriber]) other.on('error', () => {});
  return link([commands, publisher, subscriber], true);
}

function link(clients: readonly [RedisClient, RedisClient, RedisClient], isCluster: boolean): RedisLink {
  const [commands, publisher, subscriber] = clients;
  const ping = setInterval(() => {
    for (const client of clients) if (client.status === 'ready') client.ping().catch(() => {});
  }, PING_MS).unref();
  return {
    commands,
    publisher,
    subscriber,
    isCluster,
    get isUp() {
      return commands.status === 'ready';
    },
    async [Symbol.asyncDispose]() {
      clearInterval(ping);
      for (const client of clients) client.disconnect();
    },
  };
}

/** Whether it is a cluster; and a warning when it may throw away what is kept in it. */
async function examine(client: Redis, log: Logger): Promise<boolean> {
  try {
    const info = await client.info();
    const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1];
    if (policy !== undefined && policy !== 'noeviction')
      log.warn({ policy }, 'Redis may throw away jobs when it is full: set maxmemory-policy to noeviction');
    return /cluster_enabled:1/.test(info);
  } catch {
    return false;
  }
}

/** An 'error' without a listener would end the process; one for each attempt would fill the log. */
function complainOnce(client: RedisClient, log: Logger): () => void {
  let isAway = false;
  const onError = (error: Error) => {
    if (!isAway)
      log.warn({ err: error }, 'Redis is away: nodes hear of each other through the database until it is back');
    isAway = true;
  };
  const onReady = () => {
    if (isAway) log.info('Redis is back');
    isAway = false;
  };
  client.on('error', onError).on('ready', onReady);
  return () => {
    client
      .off('ready', onReady)
      .off('error', onError)
      .on('error', () => {});
  };
}

const within = <T>(ms: number, promise: Promise<T>): Promise<T | undefined> =>
  Promise.race([promise, new Promise<undefined>((done) => setTimeout(done, ms, undefined).unref())]);
