/** One server per DATA_DIR: a lock that names its holder, and can be taken over from one that is certainly gone. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { link, readFile, readlink, rename, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const Holder = z.object({ pid: z.int(), born: z.string().nullable(), host: z.string(), id: z.string() });
type Holder = z.infer<typeof Holder>;

/** When a process began, as the system counts it: pids are used again, pid and birth together are not. */
async function birth(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
    // The name in field 2 may hold anything, so count from behind its last bracket: field 22 is the start time.
    return line?.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  }
  if (process.platform === 'win32') return null;
  const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return stdout.trim() || null;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function isHeld({ pid, born, host }: Holder): Promise<boolean> {
  // A container that was started again may have our very pid; it cannot be ourselves, we have just begun.
  if (pid === process.pid && host === hostname()) return born !== null && born === (await birth(pid)) && ours.has(pid);
  if (!isAlive(pid)) return false;
  return born === null || (await birth(pid)) === born;
}

// Distinguishes "this very process holds it" (two servers in one process) from "my pid, another life".
const ours = new Set<number>();

export class DataDirInUse extends Error {
  constructor(dataDir: string, pid: number) {
    super(
      `${dataDir} is in use by the server with pid ${pid}. Nothing was touched. Stop that one first, or start this one with another DATA_DIR (and PORT).`,
    );
    this.name = 'DataDirInUse';
  }
}

/** @returns the function that gives the lock back. @throws DataDirInUse */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const file = join(dataDir, 'server.lock');
  const me: Holder = { pid: process.pid, born: await birth(process.pid), host: hostname(), id: randomUUID() };
  const draft = `${file}.${me.id}`;
  await writeFile(draft, JSON.stringify(me), { mode: 0o644 });
  try {
    for (let tries = 0; ; tries++) {
      try {
        await link(draft, file);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries > 5) throw error;
      }
      const text = await readFile(file, 'utf8').catch(() => '');
      const holder = Holder.safeParse(safeJson(text)).data;
      if (holder && (await isHeld(holder))) throw new DataDirInUse(dataDir, holder.pid);
      await setAside(file, text);
    }
  } finally {
    await unlink(draft);
  }
  ours.add(me.pid);
  return async () => {
    ours.delete(me.pid);
    if ((await readFile(file, 'utf8').catch(() => '')).includes(me.id)) await unlink(file);
  };
}

/** Removes a lock that was judged stale, and only that one: somebody else may have taken over in between. */
async function setAside(file: string, judged: string): Promise<void> {
  const aside = `${file}.stale-${randomUUID()}`;
  await rename(file, aside).catch(() => {});
  const moved = await readFile(aside, 'utf8').catch(() => judged);
  if (moved !== judged) await link(aside, file).catch(() => {});
  await unlink(aside).catch(() => {});
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** The postmaster of a server that was killed runs on without it: ends it the fast, clean way. @returns its pid, or null. */
export async function stopOrphan(clusterDir: string): Promise<number | null> {
  const text = await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid || !isAlive(pid)) return null;
  if (!(await worksIn(pid, clusterDir))) return null;
  for (const [signal, patienceMs] of [
    ['SIGINT', 15_000],
    ['SIGQUIT', 5_000],
  ] as const) {
    process.kill(pid, signal);
    for (let waited = 0; waited < patienceMs; waited += 20) {
      if (!isAlive(pid)) return pid;
      await pause(20);
    }
  }
  throw new Error(`A PostgreSQL left over from an earlier run (pid ${pid}) does not stop. End it, then start again.`);
}

/** Whether that process really is the PostgreSQL of this directory: its pid may have gone to somebody else since. */
async function worksIn(pid: number, clusterDir: string): Promise<boolean> {
  if (process.platform === 'linux') {
    const place = await readlink(`/proc/${pid}/cwd`).catch(() => null);
    if (place !== null) return place === clusterDir;
  }
  if (process.platform === 'win32') return true;
  const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return stdout.includes(clusterDir);
}
