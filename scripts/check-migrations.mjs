/** Fails when the migrations collide with each other, or when the schema says more than they do. */
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bin, root, run } from './run.mjs';

const check = await run(bin('drizzle-kit'), ['check']);
if (check.code !== 0) {
  console.error(check.output);
  process.exit(1);
}
// drizzle-kit takes paths relative to the working directory only.
const place = mkdtempSync(join(root, 'node_modules', '.migrations-'));
try {
  const out = join(place, 'drizzle');
  cpSync(join(root, 'drizzle'), out, { recursive: true });
  const before = readdirSync(out).length;
  const config = join(place, 'drizzle.config.json');
  writeFileSync(
    config,
    JSON.stringify({ dialect: 'postgresql', schema: './src/server/db/schema/*.ts', out: `./${relative(root, out)}` }),
  );
  const generated = await run(bin('drizzle-kit'), [
    'generate',
    '--config',
    relative(root, config),
    '--name',
    'missing',
  ]);
  const changed = readdirSync(out).length !== before;
  if (generated.code !== 0 || changed) {
    console.error(generated.output);
    if (changed)
      console.error('The schema has changes without a migration. Run: npm run db:generate -- --name what_changed');
    process.exitCode = 1;
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
