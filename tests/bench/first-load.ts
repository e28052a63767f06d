/** Script that a first visit loads before a conversation is opened: the entry of the built page and what it imports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Figure, round } from './stats.ts';

type Manifest = Record<string, { file: string; isEntry?: boolean; imports?: string[] }>;

export function measureFirstLoad(): Figure {
  const dist = join('dist', 'web');
  const manifest = JSON.parse(readFileSync(join(dist, '.vite', 'manifest.json'), 'utf8')) as Manifest;
  const first = new Set<string>();
  const load = (key: string | undefined) => {
    if (key === undefined || first.has(key)) return;
    first.add(key);
    for (const next of manifest[key]?.imports ?? []) load(next);
  };
  load(Object.keys(manifest).find((key) => manifest[key]?.isEntry));
  const kb = [...first].map((key) => gzipSync(readFileSync(join(dist, manifest[key]?.file ?? ''))).length / 1024);
  const total = round(
    kb.reduce((sum, size) => sum + size, 0),
    1,
  );
  return { name: 'first load, script gzip', value: total, unit: 'KB', limit: 250, parts: { files: kb.length } };
}
