/** The server as a process of its own, as `npm start` runs it, for tests that kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly url: string;
  /** Everything it has written so far. */
  output(): string;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** @throws Error with the output, when the process ends before it is ready. */
export function startProcess(env: Record<string, string>): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/server/main.ts', '--migrate'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', ...env },
  });
  let output = '';
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((done) =>
    child.once('exit', (code, signal) => done({ code, signal })),
  );
  return new Promise((done, fail) => {
    const hear = (chunk: string) => {
      output += chunk;
      const url = /Parley is ready on (\S+)/.exec(output)?.[1];
      if (url)
        done({
          child,
          pid: child.pid ?? 0,
          url: url.replace('localhost', '127.0.0.1'),
          output: () => output,
          end: (signal) => {
            child.kill(signal);
            return ended;
          },
        });
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    void ended.then(({ code }) => fail(new Error(`the server ended with ${code}:\n${output}`)));
  });
}
