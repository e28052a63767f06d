/**
 * `npm test`: every gate, cheap ones first, to the end even when one fails. The last line counts gates and tests together.
 * What needs a program that is absent is skipped with the command that installs it; with CI=true it fails instead.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, findProgram, run } from './run.mjs';

const ci = process.env.CI === 'true' || process.env.CI === '1';
const reports = mkdtempSync(join(tmpdir(), 'parley-report-'));
const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

const chromium = {
  present: () => process.env.CHROMIUM_PATH || findProgram('chromium', 'chromium-browser', 'google-chrome'),
  install: 'apt-get install -y chromium fonts-noto-color-emoji',
};

const redisServer = {
  present: () => findProgram('redis-server'),
  install: 'apt-get install -y redis-server',
};

const node = (script) => [process.execPath, [`scripts/${script}.mjs`]];
const vitest = (...projects) => ({ projects });
const GATES = [
  ['types', bin('tsc'), ['--noEmit']],
  ['format', bin('biome'), ['format', '.']],
  ['lint', bin('oxlint'), ['--type-aware']],
  ['arrows', ...node('check-arrows')],
  ['migrations', ...node('check-migrations')],
  ['tests', vitest('unit', 'pg')],
  ['tests with Redis', vitest('redis'), [], redisServer],
  ['fault tests', vitest('faults'), [], redisServer],
  ['encryption in Chromium', vitest('chromium'), [], chromium],
  ['build', ...node('build')],
  ['bundle', ...node('check-bundle')],
  ['reproducible build', ...node('check-build')],
  ['browser tests', vitest('e2e'), [], chromium],
];

function count(report) {
  const files = report.testResults ?? [];
  const tests = files.flatMap((file) => file.assertionResults ?? []);
  const of = (...states) => tests.filter((test) => states.includes(test.status)).length;
  // A file that could not be loaded has no tests to fail, but it did.
  const broken = files.filter((f) => f.status === 'failed' && !f.assertionResults?.some((t) => t.status === 'failed'));
  return {
    passed: of('passed'),
    failed: of('failed') + broken.length,
    skipped: of('skipped', 'pending', 'todo', 'disabled'),
  };
}

async function runTests(name, { projects }) {
  const file = join(reports, `${name.replace(' ', '-')}.json`);
  const args = ['run', ...projects.flatMap((project) => ['--project', project])];
  const { code } = await run(
    bin('vitest'),
    [...args, '--passWithNoTests', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
    { show: true },
  );
  let result = { passed: 0, failed: 0, skipped: 0 };
  try {
    result = count(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    result.failed = 1;
  }
  // An error outside of a test fails the run without failing a test.
  if (code !== 0 && result.failed === 0) result.failed = 1;
  return result;
}

async function runGate(name, command, args) {
  if (typeof command === 'object') return runTests(name, command);
  const { code, output } = await run(command, args);
  if (code !== 0) console.log(output.trimEnd());
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

for (const [name, command, args, needs] of GATES) {
  if (needs && !needs.present()) {
    console.log(`${ci ? 'FAILED ' : 'skipped'}  ${name}: a program is missing. Install it: ${needs.install}`);
    total[ci ? 'failed' : 'skipped']++;
    if (ci) failures.push(name);
    continue;
  }
  const began = Date.now();
  const result = await runGate(name, command, args);
  for (const key of Object.keys(total)) total[key] += result[key];
  if (result.failed > 0) failures.push(name);
  const seconds = ((Date.now() - began) / 1000).toFixed(1).padStart(6);
  console.log(`${result.failed > 0 ? 'FAILED ' : 'ok     '} ${seconds} s  ${name}`);
}

rmSync(reports, { recursive: true, force: true });
if (failures.length > 0) console.log(`Failed: ${failures.join(', ')}`);
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
process.exitCode = failures.length > 0 ? 1 : 0;
