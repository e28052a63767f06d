import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { uuidv7 } from 'uuidv7';
import { describe, expect, test } from 'vitest';
import { DiskStorage } from '#server/files/disk';
import { S3Storage } from '#server/files/s3';
import { Superseded } from '#server/files/storage';
import { newS3 } from '../harness/s3.ts';
import { fileStorageContract } from './file-storage.ts';

async function newDisk() {
  const root = await mkdtemp(join(tmpdir(), 'parley-files-'));
  return {
    root,
    here: new DiskStorage(root),
    there: new DiskStorage(root),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

describe('files: in a directory', () => {
  fileStorageContract(newDisk);

  test('[P27] whose part was taken away before he began acknowledges nothing, and leaves no hole', async () => {
    await using disk = await newDisk();
    const row = { id: uuidv7(), size: 3_000, parts: null };
    async function* rest() {
      yield new Uint8Array(2_000);
    }
    await expect(disk.here.append(row, 1_000, rest())).rejects.toThrow(Superseded);
    expect(await disk.here.offset(row)).toBe(0);
  });

  test('[P27] many that take over at once lose nothing of what is there', async () => {
    await using disk = await newDisk();
    const bytes = randomBytes(200_000);
    const half = bytes.length / 2;
    async function* piece(start: number, end: number) {
      yield bytes.subarray(start, end);
    }
    for (let round = 0; round < 30; round++) {
      const row = { id: uuidv7(), size: bytes.length, parts: null };
      await disk.here.append(row, 0, piece(0, half));
      const nodes = Array.from({ length: 6 }, () => new DiskStorage(disk.root));
      const ends = await Promise.allSettled(nodes.map((node) => node.append(row, half, piece(half, bytes.length))));
      for (const end of ends) if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(Superseded);
      const offset = await disk.there.offset(row);
      expect(offset).toBeGreaterThanOrEqual(half);
      await disk.there.append(row, offset, piece(offset, bytes.length));
      await disk.there.finish(row);
      expect((await buffer(await disk.here.read(row.id, 0, bytes.length - 1))).equals(bytes)).toBe(true);
    }
  });

  test('[P27] what no row knows of goes, once it is old; nothing else does', async () => {
    await using disk = await newDisk();
    const [kept, stray, young] = [uuidv7(), uuidv7(), uuidv7()];
    const dir = join(disk.root, 'ab', 'cd');
    await mkdir(dir, { recursive: true });
    const names = [kept, stray, `${stray}.0123456789ab.part`, young, 'readme.txt'];
    for (const name of names) {
      await writeFile(join(dir, name), 'x');
      if (name !== young) await utimes(join(dir, name), new Date(0), new Date(0));
    }
    const known = async (ids: string[]) => new Set(ids.filter((id) => id === kept));
    let removed = 0;
    for (let turn = 0; turn < 256; turn++) removed += await disk.here.removeStrays(turn, known);
    expect(removed).toBe(2);
    expect((await readdir(dir)).toSorted()).toEqual([kept, young, 'readme.txt'].toSorted());
  });
});

describe('files: in an object store', () => {
  fileStorageContract(async () => {
    const s3 = await newS3();
    return {
      here: new S3Storage(s3.settings),
      there: new S3Storage(s3.settings),
      [Symbol.asyncDispose]: () => s3[Symbol.asyncDispose](),
    };
  });
});
