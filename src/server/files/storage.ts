/** Where ciphertext of files is kept: what a store has to offer. `disk.ts` and `s3.ts` do, under the same tests. */
import type { Readable } from 'node:stream';

export interface Upload {
  readonly id: string;
  readonly size: number;
  /** What the store asked to be remembered of it. */
  readonly parts: unknown;
}

export type Keep = (parts: unknown, before: unknown) => Promise<void>;

export interface Storage {
  /** How much of an unfinished upload is safe. */
  offset(upload: Upload): Promise<number>;
  /**
   * Takes bytes from `at`, which is the offset of now, until the body ends. One at a time for each upload in a process;
   * another process may take over at any moment.
   * @param keep puts something to be remembered in the place of `before`, or throws Superseded where that is not there any more
   * @returns the new offset; what it counts outlives this process, and what `finish` made whole outlives the machine
   * @throws what the body throws, after having kept what came before; Superseded
   */
  append(upload: Upload, at: number, body: AsyncIterable<Uint8Array>, keep: Keep): Promise<number>;
  /** Makes the whole upload readable, at once or not at all. From then on nobody writes to it. Again is harmless. @throws Superseded */
  finish(upload: Upload): Promise<void>;
  /** @param end inclusive @throws Missing */
  read(id: string, start: number, end: number): Promise<Readable>;
  /** Whatever there is of it, finished or not. Nothing is fine. */
  remove(upload: Upload): Promise<void>;
  /** Removes a share of what no row knows of; called again and again, with numbers that go up, it sees all. @returns how many */
  removeStrays(turn: number, known: (ids: string[]) => Promise<ReadonlySet<string>>): Promise<number>;
}

/** Another process goes on with this upload. */
export class Superseded extends Error {}
/** The row is there, the bytes are not, or not all: a backup without its files was restored, a disk was full. */
export class Missing extends Error {}

const MIB = 1024 * 1024;
/** The least that object stores take as a part, and the most parts they take. */
const LEAST_PART = 5 * MIB;
const MOST_PARTS = 10_000;

export const partSizeOf = (size: number): number => Math.max(LEAST_PART, Math.ceil(size / MOST_PARTS / MIB) * MIB);
