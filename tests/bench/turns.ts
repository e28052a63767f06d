/** Targets measured in turns, round by round, so that they meet the same machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Round } from './load/orders.ts';
import type { Measured, Target } from './targets.ts';

const ROUNDS = 7;
const ROUND_MS = 1_000;
/** Longer than any acknowledgement is put off. */
const ALONE_MS = 250;

export interface Turn {
  readonly target: Target;
  readonly round: Omit<Round, 'texts' | 'count'>;
  /** What is said instead of messages. */
  readonly texts?: (count: number) => string[][];
}

/** Round by round. */
export interface Seen {
  /** Deliveries per second. */
  readonly rates: readonly number[];
  /** Microseconds of the server's CPU for each. */
  readonly costs: readonly number[];
  /** The generator's own, which should be the smaller part. */
  readonly loadCosts: readonly number[];
  /** Milliseconds until a delivery arrives. */
  readonly p50s: readonly number[];
  readonly p99s: readonly number[];
}

/** @param probe messages for each room in a first round, which warms up and tells how many make a second. */
export async function inTurns(turns: readonly Turn[], probe: number): Promise<Seen[]> {
  const counts: number[] = [];
  const play = ({ target, round, texts }: Turn, count: number) =>
    target.round({ ...round, count, ...(texts && { texts: texts(count) }) });
  for (const turn of turns) {
    const { ms } = await play(turn, probe);
    counts.push(Math.max(probe, Math.round((probe * ROUND_MS) / ms)));
  }
  const seen: Measured[][] = turns.map(() => []);
  for (let i = 0; i < ROUNDS; i++)
    for (const [n, turn] of turns.entries()) {
      // Whoever has just answered a heartbeat acknowledges every second message only, at the sender's cost, until one comes alone.
      await play(turn, 1);
      await sleep(ALONE_MS);
      seen[n]?.push(await play(turn, counts[n] ?? probe));
    }
  return seen.map((rounds) => ({
    rates: rounds.map(({ deliveries, ms }) => (deliveries * 1000) / ms),
    costs: rounds.map(({ cpuUs, deliveries }) => cpuUs / deliveries),
    loadCosts: rounds.map(({ ownCpuUs, deliveries }) => ownCpuUs / deliveries),
    p50s: rounds.map(({ p50 }) => p50),
    p99s: rounds.map(({ p99 }) => p99),
  }));
}
