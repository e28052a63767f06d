/**
 * `npm run bench`: every figure beside its ceiling of the same run. Prints a table, writes bench-results/latest.json.
 * `npm run bench -- --only encryption` for one of the parts below; `-- --compare` puts the runs kept in
 * docs/bench (or `--compare <file>`) beside it; `-- --keep` keeps it there.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildIfNeeded } from '../../scripts/build.mjs';
import { measureBursts } from './bursts.ts';
import { comparison, earlier, keep, type Run } from './compare.ts';
import { measureCatchUp } from './catch-up.ts';
import { measureConnects } from './connects.ts';
import { measureEncryption } from './encryption/main.ts';
import { measureFanOut } from './fan-out.ts';
import { measureFiles } from './files.ts';
import { measureFirstLoad } from './first-load.ts';
import { measureGrowth } from './growth.ts';
import { measureHistory } from './history.ts';
import { measureIdle } from './idle.ts';
import { measureIngest } from './ingest/main.ts';
import { measureLatency } from './latency.ts';
import { measureLatencyUnderLoad } from './latency-under-load.ts';
import { measurePresence } from './presence.ts';
import { measureReceipts } from './receipts.ts';
import { measureReconnects } from './reconnects.ts';
import { measureResume } from './resume.ts';
import { type Figure, machine, verdictOf } from './stats.ts';
import { measureTransfer } from './transfer.ts';
import { measureTwoNodes } from './two-nodes.ts';
import { measureTyping } from './typing.ts';
import { newWorld, type World } from './world.ts';

/** Each in a world of its own. */
const PARTS: Record<string, (world: World) => Promise<Figure[]>> = {
  messages: async (world) => [await measureLatency(world), await measureResume(world)],
  history: measureHistory,
  growth: measureGrowth,
  receipts: measureReceipts,
  // Files first: they look at the memory of a process that has done nothing yet.
  transfer: async (world) => [...(await measureFiles(world)), ...(await measureTransfer(world))],
  encryption: measureEncryption,
  'fan-out': measureFanOut,
  ingest: measureIngest,
  bursts: async (world) => [await measureBursts(world)],
  latency: measureLatencyUnderLoad,
  idle: measureIdle,
  connects: measureConnects,
  reconnects: measureReconnects,
  presence: measurePresence,
  typing: measureTyping,
  'two-nodes': measureTwoNodes,
  'catch-up': measureCatchUp,
};

await buildIfNeeded();
const { values, positionals } = parseArgs({
  options: { only: { type: 'string' }, compare: { type: 'boolean' }, keep: { type: 'boolean' } },
  allowPositionals: true,
});
const { only } = values;
const figures: Figure[] = only === undefined || only === 'load' ? [measureFirstLoad()] : [];
for (const [part, measure] of Object.entries(PARTS)) {
  if (only !== undefined && only !== part) continue;
  await using world = await newWorld();
  figures.push(...(await measure(world)));
}
if (figures.length === 0) throw new Error(`There is no part ${only}: load, ${Object.keys(PARTS).join(', ')}`);

const result: Run = { at: new Date().toISOString(), machine: machine(), figures };
await mkdir('bench-results', { recursive: true });
await writeFile('bench-results/latest.json', `${JSON.stringify(result, null, 2)}\n`);
const { cpu, cores, node } = machine();
console.log(`${cpu}, ${cores} cores, ${node}\n`);
for (const figure of figures) {
  const { name, value, unit, parts } = figure;
  const detail = Object.entries(parts).map(([key, part]) => `${key} ${part}`);
  console.log(
    `${name.padEnd(58)} ${String(value).padStart(8)} ${unit.padEnd(3)} ${verdictOf(figure).words.padEnd(16)} ${detail.join(', ')}`,
  );
}
if (values.compare) console.log(`\n${comparison(figures, earlier(positionals[0])).join('\n')}`);
if (values.keep) keep(result);
process.exit(figures.every((figure) => verdictOf(figure).ok) ? 0 : 1);
