/** Builds the server and the web app unless dist/ already holds exactly what these sources give. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, root, run } from './run.mjs';
import { sealWeb } from './seal-web.mjs';

const SOURCES = [
  'src',
  'web',
  'scripts/seal-web.mjs',
  'package-lock.json',
  'package.json',
  'tsconfig.json',
  'tsdown.config.ts',
  'vite.config.ts',
];
const STAMP = join(root, 'dist', '.built-from');

function* filesOf(path) {
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const place = join(path, entry.name);
    if (entry.isDirectory()) yield* filesOf(place);
    else yield place;
  }
}

function hashOfSources() {
  const hash = createHash('sha256').update(process.version);
  for (const source of SOURCES) {
    const place = join(root, source);
    const files = /\.\w+$/.test(source) ? [place] : filesOf(place);
    for (const file of files) hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

/** @returns {Promise<boolean>} whether something had to be built. @throws Error with the builder's output */
export async function buildIfNeeded() {
  const wanted = hashOfSources();
  const present = ['server/main.js', 'web/build.json'].every((file) => existsSync(join(root, 'dist', file)));
  if (present && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return false;
  if (!existsSync(bin('vite')))
    throw new Error('dist/ is missing or out of date, and the builders are not installed. Run: npm ci --include=dev');
  const builds = await Promise.all([run(bin('vite'), ['build']), run(bin('tsdown'), [])]);
  for (const { code, output } of builds) if (code !== 0) throw new Error(`The build failed:\n${output}`);
  sealWeb(join(root, 'dist', 'web'));
  writeFileSync(STAMP, wanted);
  return true;
}

if (process.argv[1] === import.meta.filename) {
  try {
    const built = await buildIfNeeded();
    const { build, files } = JSON.parse(readFileSync(join(root, 'dist', 'web', 'build.json'), 'utf8'));
    // Whoever builds the same sources gets the same: what a server delivers can be compared with it.
    for (const [file, sha256] of Object.entries(files)) console.log(`${sha256}  ${file}`);
    console.log(`${built ? 'Built.' : 'dist/ is up to date.'} The web app is ${build}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
