/** What encryption costs in script: src/crypto with every library under it, Argon2 included. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { type Figure, round } from '../stats.ts';

const SRC = join(import.meta.dirname, '..', '..', '..', 'src');

async function sizesOf(input: string): Promise<Map<string, number>> {
  const output = (await build({
    configFile: false,
    logLevel: 'error',
    root: SRC,
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      // Everything it offers is kept, as for somebody who uses all of it.
      rolldownOptions: { input, output: { format: 'es' }, preserveEntrySignatures: 'strict' },
    },
  })) as Rolldown.RolldownOutput;
  const chunks = output.output.filter((one) => one.type === 'chunk');
  return new Map(chunks.map(({ name, code }) => [name, gzipSync(code, { level: 9 }).length / 1024]));
}

export async function measureBundle(): Promise<Figure[]> {
  const crypto = await sizesOf(join(SRC, 'crypto', 'index.ts'));
  const worker = await sizesOf(join(SRC, 'client', 'worker', 'main.ts'));
  const total = (sizes: Map<string, number>) =>
    round(
      [...sizes.values()].reduce((sum, size) => sum + size, 0),
      1,
    );
  const main = round(worker.get('main') ?? 0, 1);
  return [
    { name: 'src/crypto and its libraries, gzip', value: total(crypto), unit: 'KB', limit: 40, parts: {} },
    {
      name: 'the worker that holds the keys, gzip, without a password',
      value: main,
      unit: 'KB',
      limit: 40,
      parts: { withArgon2: total(worker) },
    },
  ];
}
