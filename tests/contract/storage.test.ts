import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { indexedDbStorage } from '../../src/client/storage/indexeddb.ts';
import { memoryStorage } from '../../src/client/storage/memory.ts';
import type { Storage } from '../../src/client/storage/storage.ts';

let count = 0;
const implementations: [string, () => Promise<Storage>][] = [
  ['memory', async () => memoryStorage()],
  ['IndexedDB', () => indexedDbStorage(`test-${++count}`)],
];

describe.each(implementations)('storage: %s', (_, open) => {
  it('gives back what was put, table by table, and nothing for what was not', async () => {
    const storage = await open();
    await storage.put('sealed', 'a', new Uint8Array([1, 2]));
    expect(await storage.get('sealed', 'a')).toEqual(new Uint8Array([1, 2]));
    expect(await storage.get('outbox', 'a')).toBeUndefined();
    await storage.put('sealed', 'a', 'replaced');
    expect(await storage.get('sealed', 'a')).toBe('replaced');
    await storage.close();
  });

  it('lists in the order of the keys, and without what was deleted', async () => {
    const storage = await open();
    for (const key of ['c', 'a', 'b']) await storage.put('outbox', key, key);
    await storage.delete('outbox', 'b');
    await storage.delete('outbox', 'never there');
    expect(await storage.entries('outbox')).toEqual([
      ['a', 'a'],
      ['c', 'c'],
    ]);
    await storage.close();
  });

  it('[P29] wiped, it is empty', async () => {
    const storage = await open();
    await storage.put('device', 'key', 'x');
    await storage.put('outbox', 'id', 'y');
    await storage.wipe();
    expect(await storage.get('device', 'key')).toBeUndefined();
    expect(await storage.entries('outbox')).toEqual([]);
    await storage.close();
  });
});

it('IndexedDB keeps what was put when it is opened again', async () => {
  const name = `test-${++count}`;
  const before = await indexedDbStorage(name);
  await before.put('sealed', 'a', 1);
  await before.close();
  const after = await indexedDbStorage(name);
  expect(await after.get('sealed', 'a')).toBe(1);
  await after.close();
});
