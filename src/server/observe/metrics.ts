/** Prometheus metrics in a registry of their own, so that several servers in one process (tests) do not share numbers. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { scraperOf } from './scrape.ts';

export interface Metrics {
  readonly registry: Registry;
  /** All of it as text; of several processes behind one port, that of all of them. */
  scrape(): Promise<string>;
  /** Finished calls by procedure, kind and outcome (`ok` or the tRPC code). */
  readonly calls: Counter<'path' | 'type' | 'outcome'>;
  readonly callSeconds: Histogram<'path' | 'type'>;
  readonly sockets: Gauge;
  readonly socketsClosed: Counter<'code'>;
  readonly subscriptions: Gauge<'path'>;
  readonly rejected: Counter<'why'>;
  /** Runs of jobs; `again` was not the last attempt, `failed` was. */
  readonly jobs: Counter<'queue' | 'outcome'>;
  /** Not added, because the store of the jobs was away. */
  readonly jobsDropped: Counter<'queue'>;
  readonly pushes: Counter<'outcome'>;
  /** Messages that clients could not show, as they say themselves. */
  readonly unreadable: Counter<'reason'>;
  /** Ciphertext of files. */
  readonly fileBytes: Counter<'direction'>;
  /** Uploads that hang on no message, finished or not, in the whole system. */
  readonly filesLoose: Gauge;
  readonly filesSwept: Counter<'why'>;
  /** How to ask for the depths of the queues: done when somebody scrapes, given up after a second. */
  countJobs(depths: () => Promise<QueueDepth[]> | QueueDepth[]): void;
}

export interface QueueDepth {
  readonly queue: string;
  /** By state: waiting, active, delayed, failed. */
  readonly counts: Readonly<Record<string, number>>;
}

const DEPTHS_MS = 1_000;

/** Asked only at a scrape, because it costs a round trip to the store. */
function depthGauge(registers: Registry[]) {
  let depths: (() => Promise<QueueDepth[]> | QueueDepth[]) | undefined;
  new Gauge({
    name: 'parley_queue_jobs',
    help: 'Jobs in the queues of the whole system, by state',
    labelNames: ['queue', 'state'],
    // Of several processes each says the same.
    aggregator: 'max',
    registers,
    async collect() {
      const late = new Promise<[]>((done) => setTimeout(done, DEPTHS_MS, []).unref());
      const found = depths ? await Promise.race([Promise.resolve(depths()).catch(() => []), late]) : [];
      this.reset();
      for (const { queue, counts } of found)
        for (const [state, count] of Object.entries(counts)) this.set({ queue, state }, count);
    },
  });
  return (ask: typeof depths) => {
    depths = ask;
  };
}

export interface MetricsOptions {
  readonly processMetrics?: boolean;
  /** Where there is a Redis. */
  readonly isRedisUp?: () => boolean;
}

export function createMetrics({ processMetrics = false, isRedisUp }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  // They install a garbage collection observer per registry, which tests with many servers would pile up.
  if (processMetrics) collectDefaultMetrics({ register: registry, prefix: 'parley_' });
  const registers = [registry];
  if (isRedisUp)
    new Gauge({
      name: 'parley_redis_up',
      help: '1 while this process can talk to Redis',
      aggregator: 'min',
      registers,
      collect() {
        this.set(isRedisUp() ? 1 : 0);
      },
    });
  return {
    registry,
    scrape: scraperOf(registry),
    calls: new Counter({
      name: 'parley_calls_total',
      help: 'Finished tRPC calls',
      labelNames: ['path', 'type', 'outcome'],
      registers,
    }),
    callSeconds: new Histogram({
      name: 'parley_call_seconds',
      help: 'Time of tRPC queries and mutations',
      labelNames: ['path', 'type'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    sockets: new Gauge({ name: 'parley_sockets', help: 'Open WebSockets', registers }),
    socketsClosed: new Counter({
      name: 'parley_sockets_closed_total',
      help: 'WebSockets closed by the server, by close code',
      labelNames: ['code'],
      registers,
    }),
    subscriptions: new Gauge({
      name: 'parley_subscriptions',
      help: 'Running subscriptions',
      labelNames: ['path'],
      registers,
    }),
    rejected: new Counter({
      name: 'parley_rejected_total',
      help: 'Requests and upgrades refused before they reached a procedure',
      labelNames: ['why'],
      registers,
    }),
    jobs: new Counter({
      name: 'parley_jobs_total',
      help: 'Runs of jobs by queue and outcome',
      labelNames: ['queue', 'outcome'],
      registers,
    }),
    jobsDropped: new Counter({
      name: 'parley_jobs_dropped_total',
      help: 'Jobs that were not added because their store was away',
      labelNames: ['queue'],
      registers,
    }),
    unreadable: new Counter({
      name: 'parley_unreadable_total',
      help: 'Messages that clients could not show, by reason, as reported by them',
      labelNames: ['reason'],
      registers,
    }),
    pushes: new Counter({
      name: 'parley_pushes_total',
      help: 'Web pushes by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    fileBytes: new Counter({
      name: 'parley_file_bytes_total',
      help: 'Bytes of files taken in and given out',
      labelNames: ['direction'],
      registers,
    }),
    filesLoose: new Gauge({
      name: 'parley_files_loose',
      help: 'Uploads that hang on no message, as the last sweep saw them',
      aggregator: 'max',
      registers,
    }),
    filesSwept: new Counter({
      name: 'parley_files_swept_total',
      help: 'Files whose bytes were removed, by reason',
      labelNames: ['why'],
      registers,
    }),
    countJobs: depthGauge(registers),
  };
}
