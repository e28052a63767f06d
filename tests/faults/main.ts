/**
 * `npm run test:faults`: a minute of faults under load, then the control that must fail.
 * `-- --seed 7 --seconds 60 --nodes 3 --plain 40 --sdk 8 --offline 2 --no-control`; a failed run is made again by its seed.
 */
import { parseArgs } from 'node:util';
import { run } from './run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seconds: { type: 'string', default: '60' },
    nodes: { type: 'string', default: '3' },
    plain: { type: 'string', default: '40' },
    sdk: { type: 'string', default: '8' },
    offline: { type: 'string', default: '2' },
    every: { type: 'string', default: '2000' },
    pause: { type: 'string', default: '400' },
    control: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const options = {
  seed: Number(values.seed),
  seconds: Number(values.seconds),
  nodes: Number(values.nodes),
  plain: Number(values.plain),
  sdk: Number(values.sdk),
  offline: Number(values.offline),
  everyMs: Number(values.every),
  pauseMs: Number(values.pause),
};

console.log(`FAULTS_SEED=${options.seed}`);
const report = await run(options);
const { violations, faults, ...counts } = report;
console.log(faults.map(({ at, fault }) => `  ${(at / 1000).toFixed(1).padStart(5)} s  ${fault}`).join('\n'));
console.log(counts);
for (const violation of violations.slice(0, 20)) console.log(`VIOLATION ${violation}`);
let failed = violations.length > 0 || report.healedMs === null;
console.log(
  failed ? `FAILED with ${violations.length} violations; again with: --seed ${options.seed}` : 'Everything held.',
);

if (values.control) {
  const control = await run({
    ...options,
    naive: true,
    sdk: 0,
    seconds: 15,
    faults: ['cut connections', 'kill -9 a node'],
  });
  console.log(`The control, without resume and without ids of its own: ${control.violations.length} violations.`);
  if (control.violations.length === 0) {
    console.log('FAILED: the control should have failed; the test proves nothing.');
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
