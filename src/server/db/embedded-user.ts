/**
 * Decides as whom PostgreSQL runs. It refuses to be root, so a root process needs a stand-in: an unprivileged user where
 * that one can reach programs and data; else a user namespace; else an unprivileged user that keeps the right to pass
 * directories. Each way is tried for real before it is chosen. System users are never created.
 */
import { execFile, type SpawnOptions } from 'node:child_process';
import { chown, lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Binaries } from './embedded-binaries.ts';

const run = promisify(execFile);

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** How to start a program so that PostgreSQL accepts it. */
export interface Stand {
  readonly name: string;
  /** Who must own the data directory; null: whoever we are. */
  readonly owner: Owner | null;
  command(program: string, args: readonly string[]): { file: string; args: string[]; options: SpawnOptions };
}

// Programs are started in a directory everyone may enter: a shell that cannot read its own place complains.
const EVERYWHERE: SpawnOptions = process.platform === 'win32' ? {} : { cwd: '/' };
const direct: Stand = {
  name: 'ourselves',
  owner: null,
  command: (file, args) => ({ file, args: [...args], options: EVERYWHERE }),
};
const asUser = (owner: Owner): Stand => ({
  name: `user ${owner.uid}`,
  owner,
  command: (file, args) => ({ file, args: [...args], options: { ...EVERYWHERE, ...owner } }),
});
/** Inside the namespace the process is `nobody` and without privileges, outside the files are still its own. */
const inNamespace: Stand = {
  name: 'a user namespace',
  owner: { uid: 0, gid: 0 },
  command: (program, args) => ({
    file: 'unshare',
    args: ['--user', '--map-user=65534', '--map-group=65534', '--', program, ...args],
    options: EVERYWHERE,
  }),
};
/** For containers, where namespaces are often forbidden: passes closed directories, owns nothing but its data. */
const passingDirectories = (owner: Owner): Stand => ({
  name: `user ${owner.uid} that may pass closed directories`,
  owner,
  command: (program, args) => ({
    file: 'setpriv',
    args: [
      `--reuid=${owner.uid}`,
      `--regid=${owner.gid}`,
      '--clear-groups',
      '--inh-caps=-all,+dac_override',
      '--ambient-caps=-all,+dac_override',
      '--bounding-set=-all,+dac_override',
      '--no-new-privs',
      '--',
      program,
      ...args,
    ],
    options: EVERYWHERE,
  }),
});

async function unprivileged(clusterDir: string): Promise<Owner> {
  const current = await lstat(clusterDir).catch(() => null);
  if (current !== null && current.uid !== 0) return { uid: current.uid, gid: current.gid };
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const entry = passwd.split('\n').find((line) => line.startsWith('postgres:'));
  const [, , uid, gid] = entry?.split(':') ?? [];
  return uid === undefined || gid === undefined ? { uid: 65_534, gid: 65_534 } : { uid: Number(uid), gid: Number(gid) };
}

/** Enters a directory beside the data and runs the program there: nothing less shows that both can be reached. */
async function attempt(stand: Stand, binaries: Binaries, dataDir: string): Promise<string | null> {
  const probe = await mkdtemp(join(dataDir, '.probe-'));
  try {
    if (stand.owner) await chown(probe, stand.owner.uid, stand.owner.gid);
    const script = 'cd "$1" && : > written && "$2" --version && "$3" --version';
    const { file, args, options } = stand.command('/bin/sh', [
      '-c',
      script,
      'sh',
      probe,
      binaries.postgres,
      binaries.initdb,
    ]);
    await run(file, args, { ...options, cwd: '/', timeout: 20_000 } as object);
    return null;
  } catch (error) {
    const { stderr, code } = error as { stderr?: string; code?: unknown };
    return `${stand.name}: ${stderr?.trim().split('\n').at(-1) || String(code)}`;
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

/** @throws Error that says what to do, when root can find no stand-in. */
export async function chooseStand(binaries: Binaries, dataDir: string, clusterDir: string): Promise<Stand> {
  if (process.getuid?.() !== 0) return direct;
  const owner = await unprivileged(clusterDir);
  const refusals: string[] = [];
  for (const stand of [asUser(owner), inNamespace, passingDirectories(owner)]) {
    const refusal = await attempt(stand, binaries, dataDir);
    if (refusal === null) return stand;
    refusals.push(refusal);
  }
  throw new Error(
    [
      'PostgreSQL does not run as root, and no stand-in could reach its programs and data:',
      ...refusals.map((refusal) => `  - ${refusal}`),
      'Do one of these: start as an ordinary user; let others pass the directories above the project and DATA_DIR',
      '(chmod o+x); set DATABASE_URL to a PostgreSQL of your own.',
    ].join('\n'),
  );
}

/** Hands a cluster to the user that will run it: after a move the stand-in may be another one than last time. */
export async function giveTo(owner: Owner | null, path: string): Promise<void> {
  if (owner === null) return;
  const info = await lstat(path);
  if (info.isDirectory()) {
    for (const name of await readdir(path)) await giveTo(owner, join(path, name));
  }
  if (!info.isSymbolicLink()) await chown(path, owner.uid, owner.gid);
}
