/** What a first visit loads: at most 250 KB of compressed script before a conversation is opened, and nothing inline. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './run.mjs';

const LIMIT_KB = 250;
const dist = join(root, 'dist', 'web');
const manifest = JSON.parse(readFileSync(join(dist, '.vite', 'manifest.json'), 'utf8'));
const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const problems = [];

const first = new Set();
(function load(key) {
  if (first.has(key)) return;
  first.add(key);
  for (const next of manifest[key].imports ?? []) load(next);
})(entry);
const sizeOf = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length / 1024;
const sizes = [...first].map((key) => [manifest[key].file, sizeOf(manifest[key].file)]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);
for (const [file, size] of sizes) console.log(`${size.toFixed(1).padStart(8)} KB  ${file}`);
console.log(`${total.toFixed(1).padStart(8)} KB  of ${LIMIT_KB} KB at the first load`);
if (total > LIMIT_KB)
  problems.push(`the first load has ${total.toFixed(1)} KB of script; load something later (React.lazy)`);

// The policy of transport/http.ts would block these in the browser; say so here already.
const page = readFileSync(join(dist, 'index.html'), 'utf8');
if (/<script(?![^>]*(?:\bsrc=|type="importmap"))[^>]*>/.test(page))
  problems.push('index.html has an inline script: move it into a file');
if (/<(?:script|link)(?=[^>]*\b(?:src|href)="[^"]*\.(?:js|css)")(?![^>]*\bintegrity=)[^>]*>/.test(page))
  problems.push('index.html loads a script or style without integrity');
if (/<style|\sstyle=/.test(page)) problems.push('index.html has inline style: move it into a file');
if (/\son\w+=/.test(page)) problems.push('index.html has an inline event handler');
if (/(?:src|href)="(?:https?:)?\/\//.test(page)) problems.push('index.html loads something from another origin');
const maps = readdirSync(dist, { recursive: true }).filter((file) => String(file).endsWith('.map'));
if (maps.length > 0) problems.push(`source maps are published: ${maps[0]}`);

for (const problem of problems) console.error(`- ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;
