/** Runs that are kept, and `--compare`: this run beside them, figure by figure. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from './stats.ts';

const KEPT = 'docs/bench';
/** Worse by more than this is marked; less is what runs differ by. */
const MARGIN = 1.15;

export interface Run {
  readonly at: string;
  readonly machine: Record<string, unknown>;
  readonly figures: readonly Figure[];
}

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Run;

/** @param file a run; without one, for each figure the last kept run that has it. */
export function earlier(file: string | undefined): Map<string, Figure> {
  const kept = readdirSync(KEPT).filter((name) => name.endsWith('.json'));
  const runs = file ? [read(file)] : kept.map((name) => read(join(KEPT, name)));
  const found = new Map<string, Figure>();
  for (const { figures } of runs.sort((a, b) => a.at.localeCompare(b.at)))
    for (const figure of figures) found.set(figure.name, figure);
  return found;
}

/** One file for each day: parts that are measured apart come together in it. */
export function keep(run: Run): void {
  const file = join(KEPT, `${run.at.slice(0, 10)}.json`);
  const before = existsSync(file) ? read(file).figures : [];
  const measured = new Set(run.figures.map(({ name }) => name));
  const figures = [...before.filter(({ name }) => !measured.has(name)), ...run.figures];
  writeFileSync(file, `${JSON.stringify({ ...run, figures }, null, 2)}\n`);
}

/** What is held to a limit is better when it is less, and what is held to nothing counts per second. */
function isWorse(now: Figure, before: Figure): boolean {
  const lessIsBetter = now.limit !== undefined || (now.atLeast === undefined && now.unit !== '/s');
  const ratio = now.value / before.value;
  return lessIsBetter ? ratio > MARGIN : ratio < 1 / MARGIN;
}

export function comparison(figures: readonly Figure[], before: ReadonlyMap<string, Figure>): string[] {
  const width = Math.max(...figures.map(({ name }) => name.length));
  const line = (name: string, cells: readonly string[]) =>
    name.padEnd(width) + cells.map((cell) => cell.padStart(12)).join('');
  const rows = figures.map((now) => {
    const then = before.get(now.name);
    if (!then) return line(now.name, ['new', `${now.value} ${now.unit}`]);
    const ratio = then.value === 0 ? '' : (now.value / then.value).toFixed(2);
    const cells = [`${then.value} ${then.unit}`, `${now.value} ${now.unit}`, ratio];
    return line(now.name, cells) + (isWorse(now, then) ? '  WORSE' : '');
  });
  return [line('', ['before', 'now', 'ratio']), ...rows];
}
