/**
 * The connections to Redis. What lives there makes several nodes one system and can all be made anew, so a process starts
 * and goes on without it: commands then fail at once instead of waiting, and the connections come back by themselves.
 */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Logger } from './observe/log.ts';

export type RedisClient = Redis | Cluster;
export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface RedisLink extends AsyncDisposable {
  /** Presence and counters. Commands of one tick share a round trip. */
  readonly commands: RedisClient;
  /** Apart from `commands`: a large answer there must not delay a message here. */
  readonly publisher: RedisClient;
  readonly isCluster: boolean;
  /** Whether commands can be sent now. */
  readonly isUp: boolean;
  /** A new connection, given over to subscriptions. `at` is a member of the cluster. Whoever opened it disconnects it. */
  subscriber(at?: Address): Redis;
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
  const first = new Redis(url, { ...OPTIONS, retryStrategy: retryDelay, enableAutoPipelining: true });
  const quiet = complainOnce(first, log);
  const ready = isReady(first);
  open(first);
  const answered = (await within(START_MS, ready)) ?? false;
  if (answered && (await examine(first, log))) {
    quiet();
    first.disconnect();
    const cluster = clusterLink(first.options, log);
    await within(START_MS, isReady(cluster.commands));
    return cluster;
  }
  if (!answered) {
    log.warn('Redis does not answer: starting without it, and going on to try');
    // Not known before it answers: then the nodes of a cluster would look for each other in different places.
    first.once('ready', () => {
      void examine(first, log).then(
        (isCluster) =>
          isCluster && log.error('Redis is a cluster, which could not be seen at the start: restart this process'),
      );
    });
  }
  const another = () => open(first.duplicate({ enableAutoPipelining: false }));
  return link({ commands: first, publisher: another(), isCluster: false, subscriber: another });
}

function clusterLink(options: RedisOptions, log: Logger): RedisLink {
  const { host = '127.0.0.1', port = 6379, username, password, tls } = options;
  const redisOptions = {
    ...OPTIONS,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  };
  const client = () =>
    open(
      new Cluster([{ host, port }], {
        lazyConnect: true,
        enableOfflineQueue: false,
        enableAutoPipelining: true,
        clusterRetryStrategy: retryDelay,
        slotsRefreshInterval: 2_000,
        redisOptions,
      }),
    );
  const commands = client();
  complainOnce(commands, log);
  return link({
    commands,
    publisher: client(),
    isCluster: true,
    subscriber: (at) => open(new Redis({ ...redisOptions, ...at, retryStrategy: retryDelay })),
  });
}

function link(parts: Omit<RedisLink, 'isUp' | keyof AsyncDisposable>): RedisLink {
  const { commands, publisher } = parts;
  const clients = new Set<RedisClient>([commands, publisher]);
  const ping = setInterval(() => {
    for (const client of clients)
      if (client.status === 'ready') client.ping().catch(() => {});
      else if (client.status === 'end') clients.delete(client);
  }, PING_MS).unref();
  return {
    ...parts,
    subscriber(at) {
      const client = parts.subscriber(at);
      clients.add(client);
      return client;
    },
    get isUp() {
      return commands.status === 'ready';
    },
    async [Symbol.asyncDispose]() {
      clearInterval(ping);
      for (const client of clients) client.disconnect();
    },
  };
}

/** An 'error' that nobody listens to would end the process. */
function open<T extends RedisClient>(client: T): T {
  client.on('error', () => {});
  // Rejects with the first attempt; the next ones follow by themselves.
  client.connect().catch(() => {});
  return client;
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

/** One line for each break and not for each attempt. Returns how to fall silent. */
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
  return () => void client.off('ready', onReady).off('error', onError);
}

const isReady = (client: RedisClient) => new Promise<true>((done) => client.once('ready', () => done(true)));

const within = <T>(ms: number, promise: Promise<T>): Promise<T | undefined> =>
  Promise.race([promise, new Promise<undefined>((done) => setTimeout(done, ms, undefined).unref())]);
