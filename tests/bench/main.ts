/**
 * `npm run bench`: every figure beside its ceiling of the same run. Prints a table, writes bench-results/latest.json.
 * `npm run bench -- --only encryption` for one part: load, messages, transfer, encryption, fan-out.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildIfNeeded } from '../../scripts/build.mjs';
import { measureEncryption } from './encryption/main.ts';
import { measureFanOut } from './fan-out.ts';
import { measureFiles } from './files.ts';
import { measureFirstLoad } from './first-load.ts';
import { measureHistory } from './history.ts';
import { measureLatency } from './latency.ts';
import { measureResume } from './resume.ts';
import { type Figure, machine, verdictOf } from './stats.ts';
import { measureTransfer } from './transfer.ts';
import { newWorld } from './world.ts';

await buildIfNeeded();
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = (part: string) => values.only === undefined || values.only === part;
const figures: Figure[] = wanted('load') ? [measureFirstLoad()] : [];
if (wanted('messages')) {
  await using world = await newWorld();
  figures.push(await measureLatency(world));
  figures.push(...(await measureHistory(world)));
  figures.push(await measureResume(world));
}
if (wanted('transfer')) {
  await using world = await newWorld();
  // First: it looks at the memory of a process that has done nothing yet.
  figures.push(...(await measureFiles(world)));
  figures.push(...(await measureTransfer(world)));
}
if (wanted('encryption')) {
  await using world = await newWorld();
  figures.push(...(await measureEncryption(world)));
}
if (wanted('fan-out')) {
  await using world = await newWorld();
  figures.push(...(await measureFanOut(world)));
}

const result = { at: new Date().toISOString(), machine: machine(), figures };
await mkdir('bench-results', { recursive: true });
await writeFile('bench-results/latest.json', `${JSON.stringify(result, null, 2)}\n`);
console.log(`${result.machine.cpu}, ${result.machine.cores} cores, ${result.machine.node}\n`);
for (const figure of figures) {
  const { name, value, unit, parts } = figure;
  const detail = Object.entries(parts).map(([key, part]) => `${key} ${part}`);
  console.log(
    `${name.padEnd(58)} ${String(value).padStart(8)} ${unit.padEnd(3)} ${verdictOf(figure).words.padEnd(16)} ${detail.join(', ')}`,
  );
}
process.exit(figures.every((figure) => verdictOf(figure).ok) ? 0 : 1);
