/** A real PostgreSQL that belongs to this process: made on the first start, kept in DATA_DIR/postgres, gone when we go. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import type { Logger } from '../observe/log.ts';
import { type Binaries, findBinaries } from './embedded-binaries.ts';
import { lockDataDir, stopOrphan } from './embedded-lock.ts';
import { chooseStand, giveTo, type Stand } from './embedded-user.ts';

const run = promisify(execFile);
const NAME = 'parley';
const MAJOR = '18';
/** Crash recovery after a power cut may take this long; a usual start takes a third of a second. */
const START_MS = 120_000;

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly log: Logger;
  readonly maxConnections?: number;
  /** False only in tests: then a crash may lose what was acknowledged. */
  readonly durable?: boolean;
  /** The database died and could not be brought back: the process should end. */
  readonly onLost?: (error: Error) => void;
}

export interface Embedded extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Of the postmaster that runs now. */
  pid(): number;
  stop(): Promise<void>;
}

/** @throws DataDirInUse, or an Error that says what to do. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  await mkdir(options.dataDir, { recursive: true });
  const dataDir = await realpath(options.dataDir);
  const clusterDir = join(dataDir, 'postgres');
  const unlock = await lockDataDir(dataDir);
  try {
    const binaries = await findBinaries();
    const orphan = await stopOrphan(clusterDir);
    if (orphan !== null)
      options.log.warn({ pid: orphan }, 'stopped the PostgreSQL that a killed server had left behind');
    const stand = await chooseStand(binaries, dataDir, clusterDir);
    const password = await ensureCluster(binaries, stand, dataDir, clusterDir);
    const postmaster = new Postmaster(binaries, stand, clusterDir, options);
    await postmaster.start();
    try {
      const url = (database: string) => `postgres://${NAME}:${password}@127.0.0.1:${postmaster.port}/${database}`;
      await ensureDatabase(url('postgres'));
      const stop = async () => {
        await postmaster.stop();
        await unlock();
      };
      return { url: url(NAME), port: postmaster.port, pid: () => postmaster.pid, stop, [Symbol.asyncDispose]: stop };
    } catch (error) {
      await postmaster.stop();
      throw error;
    }
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Makes the cluster beside its place and moves it there, so that a start cut short leaves nothing half-made. @returns the password */
async function ensureCluster(binaries: Binaries, stand: Stand, dataDir: string, clusterDir: string): Promise<string> {
  const passwordFile = join(dataDir, 'postgres.password');
  const version = await readFile(join(clusterDir, 'PG_VERSION'), 'utf8').catch(() => null);
  if (version !== null) {
    if (version.trim() !== MAJOR)
      throw new Error(
        `${clusterDir} was made by PostgreSQL ${version.trim()}, this is ${MAJOR}. Dump it with the old version and restore the dump.`,
      );
    await giveTo(stand.owner, clusterDir);
    return (await readFile(passwordFile, 'utf8')).trim();
  }
  const password = randomBytes(24).toString('base64url');
  const draft = await mkdtemp(join(dataDir, '.initdb-'));
  try {
    const secret = join(draft, 'password');
    await writeFile(secret, password, { mode: 0o600 });
    await giveTo(stand.owner, draft);
    const { file, args, options } = stand.command(binaries.initdb, [
      `--pgdata=${join(draft, 'data')}`,
      `--username=${NAME}`,
      `--pwfile=${secret}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
    ]);
    await run(file, args, options as object).catch((error: unknown) => {
      throw new Error(`initdb failed: ${String((error as { stderr?: string }).stderr ?? error).trim()}`);
    });
    await writeFile(passwordFile, password, { mode: 0o600 });
    await chmod(passwordFile, 0o600);
    await rename(join(draft, 'data'), clusterDir);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return password;
}

async function ensureDatabase(adminUrl: string): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    const found = await sql`select from pg_database where datname = ${NAME}`;
    if (found.length === 0) await sql.unsafe(`create database ${NAME}`);
  } finally {
    await sql.end();
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The postmaster as a child: started, watched, started again if it dies, stopped with us. */
class Postmaster {
  port = 0;
  #child: ChildProcess | null = null;
  #stopping = false;
  #deaths: number[] = [];
  readonly #binaries: Binaries;
  readonly #stand: Stand;
  readonly #clusterDir: string;
  readonly #options: EmbeddedOptions;

  constructor(binaries: Binaries, stand: Stand, clusterDir: string, options: EmbeddedOptions) {
    this.#binaries = binaries;
    this.#stand = stand;
    this.#clusterDir = clusterDir;
    this.#options = options;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    process.on('exit', this.#onExit);
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    try {
      for (let tries = 1; ; tries++) {
        this.port = await freePort();
        try {
          return await this.#launch();
        } catch (error) {
          // Between finding the port free and binding it somebody may have taken it.
          if (tries >= 3 || !/could not bind|Address already in use/.test(String(error))) throw error;
        }
      }
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise<void>((done) => child.once('exit', () => done()));
      await this.#ask('fast');
      const impatient = setTimeout(() => void this.#ask('immediate'), 15_000);
      await gone;
      clearTimeout(impatient);
    }
    this.#forget();
  }

  #forget(): void {
    process.off('exit', this.#onExit);
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }

  // `exit` also follows an uncaught error. Nothing can be awaited here; the postmaster finishes its fast stop alone.
  readonly #onExit = (): void => {
    this.#child?.kill('SIGINT');
  };

  // Where nobody else listens, a signal would end us without an `exit` event.
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    this.#onExit();
    this.#forget();
    process.kill(process.pid, signal);
  };

  async #ask(mode: 'fast' | 'immediate'): Promise<void> {
    if (process.platform !== 'win32') {
      this.#child?.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      return;
    }
    // There are no signals; killing the process would be a crash.
    await run(this.#binaries.pgCtl, ['stop', '-D', this.#clusterDir, '-m', mode, '-W']).catch(() => {});
  }

  #launch(): Promise<void> {
    const durable = this.#options.durable === false ? 'off' : 'on';
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: String(this.#options.maxConnections ?? 100),
      fsync: durable,
      synchronous_commit: durable,
      full_page_writes: durable,
      timezone: 'UTC',
      log_timezone: 'UTC',
      lc_messages: 'C',
      logging_collector: 'off',
      log_destination: 'stderr',
      // Statements may hold ciphertext and hashes; they have no place in a log.
      log_min_error_statement: 'panic',
      log_error_verbosity: 'terse',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const postgresArgs = ['-D', this.#clusterDir, '-p', String(this.port), ...flags];
    const { file, args, options } = this.#stand.command(this.#binaries.postgres, postgresArgs);
    // A process group of its own: Ctrl-C in the terminal must reach us first, we still have calls to finish.
    const child = spawn(file, args, { ...options, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    return new Promise((done, fail) => {
      let ready = false;
      let said = '';
      const timer = setTimeout(() => {
        child.kill('SIGQUIT');
        fail(new Error(`PostgreSQL was not ready after ${START_MS / 1000} s:\n${said}`));
      }, START_MS);
      child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
        this.#options.log.trace({ postgres: chunk.trimEnd() });
        if (ready) return;
        said = (said + chunk).slice(-4_000);
        if (!said.includes('ready to accept connections')) return;
        ready = true;
        clearTimeout(timer);
        done();
      });
      child.once('error', fail);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        if (!ready) fail(new Error(`PostgreSQL did not start (${signal ?? code}):\n${said.trim()}`));
        else if (!this.#stopping) void this.#revive(signal ?? code);
      });
      child.unref();
      (child.stderr as { unref?: () => void } | null)?.unref?.();
    });
  }

  /** Somebody killed it. Clients reconnect by themselves to the same port, so bring it back there. */
  async #revive(how: unknown): Promise<void> {
    const now = Date.now();
    this.#deaths = [...this.#deaths.filter((at) => now - at < 60_000), now];
    this.#options.log.error({ how }, 'PostgreSQL died; starting it again');
    // Right after a crash the shared memory of the last backends may still be in use: try for some seconds.
    for (let tries = 0; this.#deaths.length <= 5 && tries < 20 && !this.#stopping; tries++) {
      try {
        await this.#launch();
        return;
      } catch (error) {
        this.#options.log.warn({ err: error }, 'PostgreSQL is not back yet');
        await new Promise((done) => setTimeout(done, 250));
      }
    }
    if (!this.#stopping) this.#options.onLost?.(new Error('PostgreSQL died and could not be started again'));
  }
}
