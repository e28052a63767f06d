/**
 * `npm run test:mutation`: takes each security check out of a copy of the sources, alone, and runs the tests. A check whose
 * absence no test notices is not tested. Prints the table; fails when one survives, or does not stand where it is said to stand.
 */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CHECKS, type Check } from './checks.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const COPIED = ['src', 'tests', 'web', 'drizzle', 'scripts', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const TESTS = ['tests/crypto', 'tests/client/'];
const AT_ONCE = 2;
const PATIENCE_MS = 120_000;

type Verdict = 'caught' | 'SURVIVED' | 'NOT FOUND';

/** A copy of the sources to be spoiled. */
async function newCopy(): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), 'parley-mutation-'));
  for (const path of COPIED) await cp(join(ROOT, path), join(place, path), { recursive: true });
  await symlink(await realpath(join(ROOT, 'node_modules')), join(place, 'node_modules'));
  return place;
}

function passes(place: string, tests?: string[]): Promise<boolean> {
  return new Promise((done) => {
    const args = ['run', '--project', tests ? 'pg' : 'unit', '--bail', '1', '--reporter', 'dot', ...(tests ?? TESTS)];
    const child = spawn(join(place, 'node_modules', '.bin', 'vitest'), args, {
      cwd: place,
      stdio: 'ignore',
      timeout: PATIENCE_MS,
    });
    child.on('error', () => done(false));
    child.on('close', (code) => done(code === 0));
  });
}

async function judge(place: string, { file, find, replace, tests }: Check): Promise<Verdict> {
  const path = join(place, file);
  const source = await readFile(path, 'utf8');
  if (source.split(find).length !== 2) return 'NOT FOUND';
  await writeFile(
    path,
    source.replace(find, () => replace),
  );
  try {
    return (await passes(place, tests)) ? 'SURVIVED' : 'caught';
  } finally {
    await writeFile(path, source);
  }
}

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const queue = CHECKS.filter(({ name, file }) => `${file} ${name}`.includes(values.only ?? ''));
const verdicts = new Map<Check, Verdict>();
const copies = await Promise.all(Array.from({ length: AT_ONCE }, newCopy));
try {
  if (!(await passes(copies[0] ?? ''))) throw new Error('The tests fail without any mutation: mend them first.');
  const waiting = [...queue];
  await Promise.all(
    copies.map(async (place) => {
      for (let check = waiting.shift(); check; check = waiting.shift()) verdicts.set(check, await judge(place, check));
    }),
  );
} finally {
  await Promise.all(copies.map((place) => rm(place, { recursive: true, force: true })));
}

for (const check of queue) {
  const file = check.file.replace(/^src\/(client\/|server\/)?/, '').padEnd(30);
  console.log(`${(verdicts.get(check) ?? '').padEnd(10)} ${file} ${check.name}`);
}
const caught = [...verdicts.values()].filter((verdict) => verdict === 'caught').length;
console.log(`${caught} of ${queue.length} checks: a test fails when it is gone`);
process.exitCode = caught === queue.length ? 0 : 1;
