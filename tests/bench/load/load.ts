/** A process of load, from the side of the bench. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Orders } from './orders.ts';

/**
 * Room for what a round of two seconds makes and for what is left of all rounds, and no full collection in quiet seconds: one takes
 * both cores for some milliseconds, whichever server is measured, and throws away what was compiled (collect.ts).
 */
const HEAP = [
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
  '--initial-heap-size=1024',
  '--no-memory-reducer',
];
/** Above this whatever was ordered is not going to happen. */
const PATIENCE_MS = 180_000;

export interface Load {
  /** @throws Error with what failed, also when a connection was lost since the last order. */
  order<K extends keyof Orders>(name: K, order: Orders[K]['order']): Promise<Orders[K]['answer']>;
  end(): Promise<void>;
}

export function startLoad(): Load {
  const file = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = fork(file, { execArgv: [...HEAP, '--import', 'tsx'], serialization: 'advanced' });
  return {
    async order(name, order) {
      const aborted = new AbortController();
      const options = { signal: AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), aborted.signal]) };
      const heard = once(child, 'message', options);
      child.send({ name, order });
      const lost = once(child, 'exit', options).then(() => Promise.reject(new Error('the load process ended')));
      const [word] = (await Promise.race([heard, lost])) as [{ answer: never } | { failure: string }];
      aborted.abort();
      if ('failure' in word) throw new Error(`load, ${name}: ${word.failure}`);
      return word.answer;
    },
    async end() {
      if (child.exitCode !== null) return;
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
