/**
 * The short form of `npm run test:faults`: some seconds of faults on two nodes, and the control that must fail. FAULTS_SEED
 * makes a run again.
 */
import { expect, test } from 'vitest';
import { run } from './run.ts';

const seed = Number(process.env.FAULTS_SEED ?? Date.now() % 1_000_000);
const small = { seed, nodes: 2, plain: 6, sdk: 2, offline: 0, everyMs: 800, pauseMs: 150 };

test('[P1][P2][P3][P5][P6][P7][P8][P12][P17] under faults everything acknowledged is everywhere, once, in one order', async () => {
  console.log(`FAULTS_SEED=${seed}`);
  const { violations, healedMs, ...counts } = await run({ ...small, seconds: 14 });
  console.log(counts, { healedMs });
  expect(violations).toEqual([]);
  expect(healedMs).not.toBeNull();
  expect(counts.acknowledged).toBeGreaterThan(20);
});

test('the control: without resume and without ids of its own, the same checks find what is lost and doubled', async () => {
  const faults = ['cut connections', 'kill -9 a node'] as const;
  const { violations } = await run({ ...small, sdk: 0, seconds: 6, faults, naive: true });
  expect(violations.length).toBeGreaterThan(0);
});
