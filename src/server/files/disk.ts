/**
 * Files in a directory that all nodes share. A part file belongs to the process in its name, and only that one writes to it:
 * who takes over makes a copy and removes the other, so that a writer that is still alive somewhere writes into nothing.
 * Whole files get their name by a rename, which happens or does not.
 */
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { Missing, type Storage, Superseded, type Upload } from './storage.ts';

const READ_BYTES = 256 * 1024;
const BATCH_BYTES = 512 * 1024;
/** Directories of the first level. */
const SHARES = 256;
/** A stray this young may be of somebody who is just beginning. */
const YOUNG_MS = 3_600_000;
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=$|\.)/;

const isAbsent = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';
const absentIs =
  <T>(value: T) =>
  (error: unknown): T => {
    if (isAbsent(error)) return value;
    throw error;
  };
const sizeOf = (path: string): Promise<number | null> => stat(path).then(({ size }) => size, absentIs(null));

export class DiskStorage implements Storage {
  readonly #root: string;
  /** Of this process, in the names of its parts. */
  readonly #writer = randomBytes(6).toString('hex');

  constructor(root: string) {
    this.#root = root;
  }

  async offset({ id, size }: Upload): Promise<number> {
    if ((await sizeOf(this.#whole(id))) !== null) return size;
    const [longest] = await this.#parts(id);
    return longest?.size ?? 0;
  }

  async append({ id }: Upload, at: number, body: AsyncIterable<Uint8Array>): Promise<number> {
    const path = await this.#takeOver(id);
    if (path === null) throw new Superseded();
    const handle = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
    try {
      // Taken over between the two: what is written behind a hole would count as all of it.
      if ((await handle.stat()).size < at) throw new Superseded();
      // Not flushed here: the process may be killed, and it stays; a machine that loses power has less, says so (`offset`), and gets it again.
      const end = await writeAsItComes(handle, at, body);
      // Somebody else took over meanwhile: what was written here, is nowhere.
      const [mine, there] = [await handle.stat(), await stat(path).catch(absentIs(null))];
      if (mine.ino !== there?.ino) throw new Superseded();
      return end;
    } finally {
      await handle.close();
    }
  }

  async finish({ id, size }: Upload): Promise<void> {
    const path = await this.#takeOver(id);
    if (path === null) return;
    const handle = await open(path, 'r+').catch(absentIs(null));
    if (!handle) throw new Superseded();
    try {
      await handle.sync();
      if ((await handle.stat()).size !== size) throw new Superseded();
    } finally {
      await handle.close();
    }
    try {
      await rename(path, this.#whole(id));
    } catch (error) {
      if (isAbsent(error)) throw new Superseded();
      throw error;
    }
    await syncDirectory(dirname(path));
  }

  async read(id: string, start: number, end: number): Promise<Readable> {
    const handle = await open(this.#whole(id), 'r').catch(absentIs(null));
    if (!handle) throw new Missing();
    if ((await handle.stat()).size <= end) {
      await handle.close();
      throw new Missing();
    }
    return handle.createReadStream({ start, end, highWaterMark: READ_BYTES });
  }

  async remove({ id }: Upload): Promise<void> {
    await rm(this.#whole(id), { force: true });
    for (const { path } of await this.#parts(id)) await rm(path, { force: true });
  }

  async removeStrays(turn: number, known: (ids: string[]) => Promise<ReadonlySet<string>>): Promise<number> {
    const share = join(this.#root, (turn % SHARES).toString(16).padStart(2, '0'));
    const found: { id: string; path: string }[] = [];
    for (const inner of await readdir(share).catch(absentIs([])))
      for (const name of await readdir(join(share, inner)).catch(absentIs([]))) {
        const id = ID.exec(name)?.[0];
        const path = join(share, inner, name);
        if (id !== undefined && Date.now() - ((await stat(path).catch(absentIs(null)))?.mtimeMs ?? Infinity) > YOUNG_MS)
          found.push({ id, path });
      }
    const rows = await known([...new Set(found.map(({ id }) => id))]);
    const strays = found.filter(({ id }) => !rows.has(id));
    for (const { path } of strays) await rm(path, { force: true });
    return strays.length;
  }

  /** This process's part, holding all there is of the upload; null when the upload is whole. */
  async #takeOver(id: string): Promise<string | null> {
    const mine = `${this.#whole(id)}.${this.#writer}.part`;
    const made = await mkdir(dirname(mine), { recursive: true, mode: 0o700 });
    if (made !== undefined) await syncDirectory(dirname(made));
    const parts = await this.#parts(id);
    const [longest] = parts;
    if (longest && longest.path !== mine)
      await copyFile(longest.path, mine, constants.COPYFILE_FICLONE).catch((error: unknown) => {
        // Somebody else was faster, and the other parts may be his.
        throw isAbsent(error) ? new Superseded() : error;
      });
    for (const { path } of parts) if (path !== mine) await unlink(path).catch(absentIs(undefined));
    // Where the other was faster, by a rename, there is nothing left to do.
    if ((await sizeOf(this.#whole(id))) === null) return mine;
    await rm(mine, { force: true });
    return null;
  }

  /** Parts of whichever processes, longest first: each is a beginning of the same bytes. */
  async #parts(id: string): Promise<{ path: string; size: number }[]> {
    const dir = dirname(this.#whole(id));
    const names = await readdir(dir).catch(absentIs<string[]>([]));
    const paths = names.filter((name) => name.startsWith(`${id}.`)).map((name) => join(dir, name));
    const parts = await Promise.all(paths.map(async (path) => ({ path, size: (await sizeOf(path)) ?? -1 })));
    return parts.filter(({ size }) => size >= 0).sort((a, b) => b.size - a.size);
  }

  #whole(id: string): string {
    const hash = createHash('sha256').update(id).digest('hex');
    return join(this.#root, hash.slice(0, 2), hash.slice(2, 4), id);
  }
}

/**
 * The first bytes are written at once, and what comes meanwhile is the next batch: neither waits for the other, nothing that came
 * stays in memory alone, and two batches are the most that is there.
 * @returns the end, once all of it is in the file; what came before the body broke, is too
 */
async function writeAsItComes(handle: FileHandle, at: number, body: AsyncIterable<Uint8Array>): Promise<number> {
  let end = at;
  let waiting: Uint8Array[] = [];
  let size = 0;
  let isIdle = true;
  let writing = Promise.resolve();
  const writeWaiting = async () => {
    while (waiting.length > 0) {
      const [batch, from] = [waiting, end];
      end += size;
      waiting = [];
      size = 0;
      await writeAll(handle, batch, from);
    }
    // Not after a failure: behind what is missing, nothing may be written.
    isIdle = true;
  };
  const begin = () => {
    if (!isIdle) return;
    isIdle = false;
    writing = writeWaiting();
    // Whoever awaits it hears of it.
    writing.catch(() => {});
  };
  try {
    for await (const bytes of body) {
      waiting.push(bytes);
      size += bytes.length;
      begin();
      if (size >= BATCH_BYTES) await writing;
    }
  } finally {
    await writing;
  }
  return end;
}

async function writeAll(handle: FileHandle, batch: Uint8Array[], at: number): Promise<void> {
  if (batch.length === 0) return;
  const { bytesWritten } = await handle.writev(batch, at);
  // A disk may take less than it was given; mostly because it is full, and then the next write says so.
  const rest = skip(batch, bytesWritten);
  if (rest.length > 0) await writeAll(handle, rest, at + bytesWritten);
}

function skip(batch: Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  return batch.flatMap((one) => {
    const rest = one.subarray(Math.min(left, one.length));
    left -= one.length - rest.length;
    return rest.length > 0 ? [rest] : [];
  });
}

/** A name is as durable as its directory. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
