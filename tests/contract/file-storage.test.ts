import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uuidv7 } from 'uuidv7';
import { describe, expect, test } from 'vitest';
import { DiskStorage } from '#server/files/disk';
import { S3Storage } from '#server/files/s3';
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
