/** Targets measured in turns, round by round, so that they meet the same machine. */
import type { Round } from './load/orders.ts';
import { median } from './stats.ts';
import type { Measured, Target } from './targets.ts';

const ROUNDS = 5;
const ROUND_MS = 1_000;

export interface Turn {
  readonly target: Target;
  readonly round: Omit<Round, 'texts' | 'count'>;
}

/** Medians of the rounds. */
export interface Seen {
  /** Deliveries per second. */
  readonly rate: number;
  /** Microseconds of the server's CPU for each. */
  readonly cost: number;
  /** The generator's own, which should be the smaller part. */
  readonly loadCost: number;
}

/** @param probe messages for each room in a first round, which warms up and tells how many make a second. */
export async function inTurns(turns: readonly Turn[], probe: number): Promise<Seen[]> {
  const counts: number[] = [];
  for (const { target, round } of turns) {
    const { ms } = await target.round({ ...round, count: probe });
    counts.push(Math.max(probe, Math.round((probe * ROUND_MS) / ms)));
  }
  const seen: Measured[][] = turns.map(() => []);
  for (let i = 0; i < ROUNDS; i++)
    for (const [n, { target, round }] of turns.entries())
      seen[n]?.push(await target.round({ ...round, count: counts[n] ?? probe }));
  return seen.map((rounds) => ({
    rate: median(rounds.map(({ deliveries, ms }) => (deliveries * 1000) / ms)),
    cost: median(rounds.map(({ cpuUs, deliveries }) => cpuUs / deliveries)),
    loadCost: median(rounds.map(({ ownCpuUs, deliveries }) => ownCpuUs / deliveries)),
  }));
}
