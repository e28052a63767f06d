/** The life of a process: what it opened is closed in reverse when it is told to end, and nothing takes it down by accident. */
import { type Env, readEnv } from './env.ts';
import { createLog, type Logger } from './observe/log.ts';

/** Orchestrators kill after 10 s; ending by ourselves before that leaves a readable log. */
const END_MS = 9_500;
/** npm and a terminal may both pass on the same Ctrl-C. */
const AGAIN_MS = 1_000;

export interface Life {
  readonly env: Env;
  readonly log: Logger;
  /** To be done at the end; what comes last is done first. */
  onEnd(step: () => Promise<unknown>): void;
  /** Ends the process at once, with the reason on the error output. */
  fail(error: unknown): never;
}

/** Runs `start` and stays. The same signal a second time, not by the same key press, means: now. */
export function live(start: (life: Life) => Promise<void>): void {
  const begin = async () => {
    const env = readEnv();
    const log = createLog({ level: env.logLevel });
    const fail = (error: unknown): never => {
      log.fatal({ err: error }, 'stopping');
      return say(error);
    };
    // One forgotten promise must not take down every open socket; an uncaught throw leaves unknown state, so it must.
    process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'));
    process.on('uncaughtException', fail);
    const steps: (() => Promise<unknown>)[] = [];
    endWith(steps, log);
    await start({ env, log, onEnd: (step) => void steps.push(step), fail });
  };
  begin().catch(say);
}

function say(error: unknown): never {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

function endWith(steps: readonly (() => Promise<unknown>)[], log: Logger): void {
  let ending: { signal: string; at: number } | undefined;
  const end = async (signal: string) => {
    if (ending?.signal === signal && Date.now() - ending.at > AGAIN_MS) process.exit(1);
    if (ending) return;
    ending = { signal, at: Date.now() };
    log.info({ why: signal }, 'stopping');
    setTimeout(() => process.exit(1), END_MS).unref();
    for (const step of [...steps].reverse())
      await step().catch((error: unknown) => log.error({ err: error }, 'while stopping'));
    log.info('stopped');
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(signal));
}
