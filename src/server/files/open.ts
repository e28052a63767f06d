/** The store that the environment asks for. */
import type { Env } from '../env.ts';
import { DiskStorage } from './disk.ts';
import type { Storage } from './storage.ts';

export async function openStorage({ files }: Env): Promise<Storage> {
  if (files.s3 === undefined) return new DiskStorage(files.dir);
  // The client for object stores is large: it is loaded where one is used.
  const { S3Storage } = await import('./s3.ts');
  return new S3Storage(files.s3);
}
