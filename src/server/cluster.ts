/**
 * The leader of several server processes behind one port: it keeps as many running as there should be, and serves nobody
 * itself. The port is Node's own to share: connections go to the processes in turn.
 */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import type { Life } from './lifecycle.ts';
import { answerScrapes } from './observe/scrape.ts';

/** Who ends sooner than this after its start has not really run. */
const EARLY_MS = 10_000;
/** So many in a row, and there is no point in going on. */
const MOST_EARLY = 5;
const FIRST_PAUSE_MS = 200;

interface Ready {
  readonly ready: string;
}

/** Resolves when all listen. @param file what the processes run */
export async function lead({ env, log, onEnd, fail }: Life, databaseUrl: string, file: string): Promise<void> {
  const running = new Set<Worker>();
  let ending = false;
  let early = 0;
  let port = env.port;
  cluster.setupPrimary({ exec: file, args: [] });
  answerScrapes();

  function begin(): Worker {
    const worker = cluster.fork({ DATABASE_URL: databaseUrl, PORT: String(port) });
    const began = Date.now();
    running.add(worker);
    worker.once('exit', (code, signal) => {
      running.delete(worker);
      if (ending) return;
      early = Date.now() - began < EARLY_MS ? early + 1 : 0;
      if (early > MOST_EARLY) fail(new Error('The server processes end as soon as they begin. The log says why.'));
      log.error({ code, signal }, 'a server process has ended; another one takes its place');
      setTimeout(() => ending || begin(), early === 0 ? 0 : FIRST_PAUSE_MS * 2 ** early);
    });
    return worker;
  }

  onEnd(async () => {
    ending = true;
    const ended = [...running].map((worker) => once(worker, 'exit'));
    for (const worker of running) worker.process.kill('SIGTERM');
    await Promise.all(ended);
  });
  const [url = ''] = await Promise.all(Array.from({ length: env.processes }, () => listening(begin())));
  // Of port 0: who comes later must not choose another one.
  port = Number(new URL(url).port);
  process.stdout.write(`Parley is ready on ${url} (${env.processes} processes)\n`);
}

async function listening(worker: Worker): Promise<string> {
  const ended = once(worker, 'exit').then(() => Promise.reject(new Error('A server process could not start.')));
  // Scrapes of the others may ask it, and be answered, before.
  const said = new Promise<string>((done) =>
    worker.on('message', (word: Partial<Ready>) => word.ready !== undefined && done(word.ready)),
  );
  return Promise.race([said, ended]);
}

/** Of one of several processes: the leader says it once for all, and without the leader nobody goes on. */
export function tellLeader(url: string): void {
  process.send?.({ ready: url } satisfies Ready);
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}
