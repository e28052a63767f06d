/** The build is reproducible: the same sources in another folder give the same web app, byte for byte. Runs after the build. */
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, root, run } from './run.mjs';
import { sealWeb } from './seal-web.mjs';

const place = mkdtempSync(join(tmpdir(), 'parley-build-'));
try {
  for (const source of ['src', 'web', 'package.json', 'tsconfig.json', 'vite.config.ts'])
    cpSync(join(root, source), join(place, source), { recursive: true });
  symlinkSync(realpathSync(join(root, 'node_modules')), join(place, 'node_modules'));
  const { code, output } = await run(bin('vite'), ['build'], { cwd: place });
  if (code !== 0) throw new Error(output);
  const again = sealWeb(join(place, 'dist', 'web'));
  const first = JSON.parse(readFileSync(join(root, 'dist', 'web', 'build.json'), 'utf8'));
  const names = new Set([...Object.keys(first.files), ...Object.keys(again.files)]);
  for (const name of names)
    if (first.files[name] !== again.files[name]) console.error(`- ${name} differs between two builds`);
  if (first.build !== again.build) process.exitCode = 1;
} finally {
  rmSync(place, { recursive: true, force: true });
}
