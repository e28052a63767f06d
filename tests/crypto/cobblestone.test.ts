import { expect, it } from 'vitest';
import { random } from '../../src/crypto/bytes.ts';
import { importSealKey, open, seal } from '../../src/crypto/cobblestone.ts';

const DECRYPT = expect.objectContaining({ code: 'DECRYPT' });

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
