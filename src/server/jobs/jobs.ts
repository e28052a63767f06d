/** The queues of one process: opened beside the server, which does not wait for them, worked on here or elsewhere, closed in order. */
import { type Job, type Processor, type Queue, UnrecoverableError, WaitingError } from 'bullmq';
import type { z } from 'zod';
import type { Deps } from '../deps.ts';
import { describeError } from '../observe/log.ts';
import type { QueueDepth } from '../observe/metrics.ts';
import { deliver } from './message-delivery.ts';
import { welcome } from './offline-messages.ts';
import { Pusher } from './pusher.ts';
import { QUEUE_NAMES, QUEUES, type QueueName, TIMING, type Timing } from './queues.ts';
import { openStore, type Store } from './store.ts';
import { sweep } from './sweep.ts';
import { sweepFiles } from './sweep-files.ts';

export interface JobsOptions {
  readonly databaseUrl: string;
  /** False: this process only adds. */
  readonly works: boolean;
  readonly timing?: Partial<Timing>;
}

export interface Jobs {
  /** Settles when the queues are open, or when `close` came first. */
  readonly ready: Promise<void>;
  readonly queues: Readonly<Record<QueueName, Queue>> | undefined;
  /** Takes no more jobs and finishes the running ones, within 7 seconds. Jobs are still added. */
  stopWork(): Promise<void>;
  /** The same, then adds what was noticed and lets go of everything. */
  close(): Promise<void>;
}

/** While the store cannot be reached, jobs are not added; the sweep makes up for it. */
const OPEN_AGAIN_MS = { first: 500, most: 10_000 };
/** For jobs that run when the process has to go. One push takes no longer than TIMING.push. */
const FINISH_MS = 7_000;
/** A Redis that was emptied has lost the schedule of the sweep too. */
const SCHEDULE_CHECK_MS = 30_000;
const SCHEDULES = ['sweep', 'sweepFiles'] as const;

/** Never throws: the server runs without its queues, too. */
export function startJobs(deps: Deps, options: JobsOptions): Jobs {
  return new RunningJobs(deps, options);
}

class RunningJobs implements Jobs {
  readonly ready: Promise<void>;
  readonly #deps: Deps;
  readonly #options: JobsOptions;
  readonly #timing: Timing;
  readonly #closing = new AbortController();
  #store: Store | undefined;
  #pusher: Pusher | undefined;
  #schedule: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(deps: Deps, options: JobsOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    deps.metrics.countJobs(() => (this.#store ? depths(this.#store.queues) : []));
    this.ready = this.#open();
  }

  get queues() {
    return this.#store?.queues;
  }

  stopWork(): Promise<void> {
    this.#stopped ??= this.#stopWork();
    return this.#stopped;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #open(): Promise<void> {
    const { env, log, offline } = this.#deps;
    const { databaseUrl, works } = this.#options;
    let pause = OPEN_AGAIN_MS.first;
    while (!this.#closing.signal.aborted) {
      let store: Store | undefined;
      try {
        store = await openStore({ redisUrl: env.redisUrl, databaseUrl, works, timing: this.#timing, log });
        offline.start(store.queues, this.#timing);
        if (works) await this.#work(store);
        this.#store = store;
        return;
      } catch (error) {
        log.warn({ err: error }, 'jobs: the store cannot be reached');
        await offline.stop();
        await store?.stopWork(0);
        await store?.close();
        await wait(pause * (0.5 + Math.random() / 2), this.#closing.signal);
        pause = Math.min(OPEN_AGAIN_MS.most, pause * 2);
      }
    }
  }

  async #work(store: Store): Promise<void> {
    const timing = this.#timing;
    const pusher = new Pusher(this.#deps, timing.push);
    this.#pusher = pusher;
    const { queues } = store;
    const processors: Record<QueueName, Processor> = {
      'message-delivery': this.#processor('message-delivery', QUEUES['message-delivery'].schema, (data, job, token) => {
        const check = async () => {
          if (!this.#closing.signal.aborted) return;
          // Back to its place in the queue, without the attempt being counted.
          await job.moveToWait(token);
          throw new WaitingError();
        };
        return deliver(this.#deps, pusher, data, { check });
      }),
      'offline-messages': this.#processor('offline-messages', QUEUES['offline-messages'].schema, (data, job) =>
        welcome(this.#deps, data, {
          first: job.attemptsMade === 0,
          since: new Date(job.timestamp),
          deliveries: queues['message-delivery'],
        }),
      ),
      maintenance: this.#processor('maintenance', QUEUES.maintenance.schema, (_, job) =>
        job.name === 'sweepFiles'
          ? sweepFiles(this.#deps, timing.sweepFiles)
          : sweep(this.#deps, queues['message-delivery'], timing),
      ),
    };
    await Promise.all(QUEUE_NAMES.map((name) => store.work(name, processors[name])));
    await this.#keepSchedule(queues.maintenance);
  }

  #processor<T>(queue: QueueName, schema: z.ZodType<T>, work: (data: T, job: Job, token?: string) => Promise<unknown>) {
    const { log, metrics } = this.#deps;
    return async (job: Job, token?: string) => {
      const parsed = schema.safeParse(job.data);
      try {
        if (!parsed.success) throw new UnrecoverableError('the job does not carry what it should');
        const outcome = await work(parsed.data, job, token);
        metrics.jobs.inc({ queue, outcome: typeof outcome === 'string' ? outcome : 'done' });
        return outcome;
      } catch (error) {
        if (error instanceof WaitingError) throw error;
        const last = job.attemptsMade + 1 >= (job.opts.attempts ?? 1) || error instanceof UnrecoverableError;
        metrics.jobs.inc({ queue, outcome: last ? 'failed' : 'again' });
        if (last) log.warn({ err: error, queue, job: job.id }, 'job failed');
        throw storable(error);
      }
    };
  }

  /** Once for the whole system: whoever finds the schedule missing makes it. */
  async #keepSchedule(queue: Queue): Promise<void> {
    const timing = this.#timing;
    for (const name of SCHEDULES)
      try {
        const every = timing[name];
        const known = await queue.getJobScheduler(name);
        const overdue = known?.next !== undefined && known.next < Date.now() - 2 * every;
        if (!known || known.every !== every || overdue)
          await queue.upsertJobScheduler(name, { every }, { name, data: {} });
      } catch (error) {
        this.#deps.log.warn({ err: error, name }, 'jobs: a sweep is not scheduled');
      }
    if (this.#closing.signal.aborted) return;
    const period = Math.min(timing.sweep, SCHEDULE_CHECK_MS);
    this.#schedule = setTimeout(() => void this.#keepSchedule(queue), period).unref();
  }

  async #stopWork(): Promise<void> {
    this.#closing.abort();
    await this.ready;
    clearTimeout(this.#schedule);
    await this.#store?.stopWork(FINISH_MS);
  }

  async #close(): Promise<void> {
    await this.stopWork();
    await this.#deps.offline.stop();
    this.#pusher?.close();
    await this.#store?.close();
  }
}

/** What a failed job keeps for everybody to read: our own words, but not those of a database, which quote values. */
function storable(error: unknown): Error {
  if (error instanceof UnrecoverableError) return error;
  const { message, code } = describeError(error);
  return new Error(typeof message === 'string' ? message : `database error ${String(code)}`);
}

async function depths(queues: Readonly<Record<QueueName, Queue>>): Promise<QueueDepth[]> {
  const counts = await Promise.all(
    QUEUE_NAMES.map((name) => queues[name].getJobCounts('waiting', 'active', 'delayed', 'failed')),
  );
  return QUEUE_NAMES.map((queue, i) => ({ queue, counts: counts[i] ?? {} }));
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      done();
    });
  });
}
