import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { random } from '../../src/crypto/bytes.ts';
import { importSealKey, open, seal } from '../../src/crypto/cobblestone.ts';
import { absent } from './published.ts';

const VECTORS = new URL('../../../shared/e2ee/vectors/c2sp256.json', import.meta.url);
const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const DECRYPT = expect.objectContaining({ code: 'DECRYPT' });

interface C2spTest {
  tcId: number;
  key: string;
  ctx: string;
  ct: string;
  msgLength: number;
  msgSha512: string;
  result: 'valid' | 'invalid';
}

it.skipIf(absent(VECTORS))('agrees with every published vector of chunked encryption', async () => {
  const { testGroups } = JSON.parse(readFileSync(VECTORS, 'utf8')) as { testGroups: { tests: C2spTest[] }[] };
  const tests = testGroups.flatMap((group) => group.tests);
  for (const test of tests) {
    const opened = (async () => open(await importSealKey(hex(test.key)), hex(test.ctx), inflated(test.ct)))();
    if (test.result === 'invalid') {
      await expect(opened, `case ${test.tcId}`).rejects.toMatchObject({ name: 'CryptoError' });
      continue;
    }
    const plaintext = await opened;
    expect(plaintext.length, `case ${test.tcId}`).toBe(test.msgLength);
    expect(createHash('sha512').update(plaintext).digest('hex'), `case ${test.tcId}`).toBe(test.msgSha512);
  }
  expect(tests.length).toBeGreaterThan(30);
});

it.each([0, 1, 16_383, 16_384, 16_385, 40_000])('opens what it sealed: %d bytes', async (length) => {
  const key = await importSealKey(random(32));
  const plaintext = new Uint8Array(length).fill(5);
  expect(await open(key, random(0), await seal(key, random(0), plaintext))).toEqual(plaintext);
});

it('[P30] any changed byte, another key, another context, a missing end: one and the same failure', async () => {
  const key = await importSealKey(random(32));
  const context = random(10);
  const box = await seal(key, context, random(50));
  for (let i = 0; i < box.length; i++) {
    const changed = box.slice();
    changed[i] = (changed[i] ?? 0) ^ 1;
    await expect(open(key, context, changed)).rejects.toEqual(DECRYPT);
  }
  await expect(open(await importSealKey(random(32)), context, box)).rejects.toEqual(DECRYPT);
  await expect(open(key, random(10), box)).rejects.toEqual(DECRYPT);
  await expect(open(key, context, box.subarray(0, -1))).rejects.toEqual(DECRYPT);
  await expect(open(key, context, box.subarray(0, 20))).rejects.toEqual(DECRYPT);
});

it('chunks cannot change places', async () => {
  const key = await importSealKey(random(32));
  const box = await seal(key, random(0), new Uint8Array(40_000));
  const swapped = box.slice();
  swapped.set(box.subarray(56 + 16_400, 56 + 2 * 16_400), 56);
  swapped.set(box.subarray(56, 56 + 16_400), 56 + 16_400);
  await expect(open(key, random(0), swapped)).rejects.toEqual(DECRYPT);
});

function inflated(text: string): Uint8Array {
  return new Uint8Array(inflateSync(hex(text)));
}
