/** Medians of rounds, and the machine they were measured on. */
import { cpus, totalmem } from 'node:os';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Of numbers measured in turns: the median of each turn's own ratio, in which both met the same machine. */
export const medianRatio = (above: readonly number[], below: readonly number[]): number =>
  median(above.map((value, i) => value / (below[i] ?? Number.NaN)));

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Milliseconds that each of `times` runs took, one after another. */
export async function timed(times: number, run: (i: number) => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await run(i);
    took.push(performance.now() - began);
  }
  return took;
}

export const round = (value: number, digits = 2) => Number(value.toFixed(digits));

export const machine = () => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
});

/** A figure with what it is held to: at most `limit`, at least `atLeast`, or nothing. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: number;
  readonly atLeast?: number;
  readonly parts: Record<string, number>;
}

/** What is wanted of a figure in words, and whether it is so. */
export function verdictOf({ value, unit, limit, atLeast }: Figure): { ok: boolean; words: string } {
  if (limit !== undefined)
    return value <= limit
      ? { ok: true, words: `within ${limit} ${unit}` }
      : { ok: false, words: `OVER ${limit} ${unit}` };
  if (atLeast !== undefined)
    return value >= atLeast
      ? { ok: true, words: `above ${atLeast} ${unit}` }
      : { ok: false, words: `UNDER ${atLeast} ${unit}` };
  return { ok: true, words: '' };
}
