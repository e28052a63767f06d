/** The example of docs/sdk.md runs, and the page shows nothing that is not in it. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { newServer } from './harness/server.ts';

const root = join(import.meta.dirname, '..');
const EXAMPLE = 'examples/first-message.ts';

it('the first message of the SDK page is sent, read, answered and refused as it says', async () => {
  await using server = await newServer();
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', EXAMPLE, server.url], {
    cwd: root,
  });
  expect(stdout.trim().split('\n')).toEqual([
    'Ann keeps her recovery key: 42 characters',
    'Bob reads: Hello Bob',
    'Ann sees two coloured ticks',
    'Bob may not: FORBIDDEN not_the_author',
  ]);
});

it('every piece of TypeScript on the page is a piece of the example', () => {
  const page = readFileSync(join(root, 'docs/sdk.md'), 'utf8');
  const example = readFileSync(join(root, EXAMPLE), 'utf8');
  const pieces = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, piece = '']) => piece);
  expect(pieces.length).toBeGreaterThan(0);
  for (const piece of pieces) expect(example).toContain(piece);
});
