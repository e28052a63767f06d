/** What every store of files keeps to, seen from two processes that share it. */
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { uuidv7 } from 'uuidv7';
import { expect, test } from 'vitest';
import { type Keep, Missing, partSizeOf, type Storage, Superseded } from '#server/files/storage';

const SIZE = 12_000_000;
const CHUNK = 65_536;

/** The row of an upload, as the database keeps it. */
function newRow(size = SIZE) {
  const row = { id: uuidv7(), size, parts: null as unknown };
  const keep: Keep = async (parts, before) => {
    if (JSON.stringify(row.parts) !== JSON.stringify(before)) throw new Superseded();
    // As it comes back from the database: a copy.
    row.parts = JSON.parse(JSON.stringify(parts));
  };
  return { row, keep };
}

async function* chunks(bytes: Buffer, then?: () => Promise<void> | void) {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
  await then?.();
}
const broken = () => {
  throw new Error('the connection broke');
};
const readAll = async (storage: Storage, id: string, start = 0, end = SIZE - 1) =>
  buffer(await storage.read(id, start, end));

export function fileStorageContract(open: () => Promise<{ here: Storage; there: Storage } & AsyncDisposable>): void {
  test('[P27] what came in pieces, over two processes, is read as it was sent, whole and by ranges', async () => {
    await using system = await open();
    const { here, there } = system;
    const { row, keep } = newRow();
    const bytes = randomBytes(SIZE);
    const piece = partSizeOf(SIZE);
    expect(await here.offset(row)).toBe(0);
    expect(await here.append({ ...row }, 0, chunks(bytes.subarray(0, piece)), keep)).toBe(piece);
    expect(await there.offset(row)).toBe(piece);
    expect(await there.append({ ...row }, piece, chunks(bytes.subarray(piece)), keep)).toBe(SIZE);
    await expect(here.read(row.id, 0, SIZE - 1)).rejects.toThrow(Missing);
    await here.finish(row);
    // An answer that was lost makes somebody ask again.
    await there.finish(row);
    expect((await readAll(there, row.id)).equals(bytes)).toBe(true);
    expect((await readAll(here, row.id, 56, 16_455)).equals(bytes.subarray(56, 16_456))).toBe(true);
  });

  test('[P27] after a break it goes on from what is safe, wherever', async () => {
    await using system = await open();
    const { here, there } = system;
    const { row, keep } = newRow();
    const bytes = randomBytes(SIZE);
    const sent = 8_000_000;
    await expect(here.append({ ...row }, 0, chunks(bytes.subarray(0, sent), broken), keep)).rejects.toThrow('broke');
    const safe = await there.offset(row);
    expect(safe).toBeGreaterThanOrEqual(partSizeOf(SIZE));
    expect(safe).toBeLessThanOrEqual(sent);
    await expect(there.read(row.id, 0, 9)).rejects.toThrow(Missing);
    expect(await there.append({ ...row }, safe, chunks(bytes.subarray(safe)), keep)).toBe(SIZE);
    await there.finish(row);
    expect((await readAll(here, row.id)).equals(bytes)).toBe(true);
  });

  test('[P27] a writer that was taken over from elsewhere changes nothing and acknowledges nothing', async () => {
    await using system = await open();
    const { here, there } = system;
    const { row, keep } = newRow();
    const bytes = randomBytes(SIZE);
    const piece = partSizeOf(SIZE);
    let goOn = () => {};
    const waiting = new Promise<void>((done) => {
      goOn = done;
    });
    let begun = () => {};
    const began = new Promise<void>((done) => {
      begun = done;
    });
    async function* hung() {
      yield* chunks(bytes.subarray(0, piece));
      begun();
      await waiting;
      yield* chunks(randomBytes(SIZE - piece));
    }
    const outcome = here.append({ ...row }, 0, hung(), keep).catch((error: unknown) => error);
    await began;
    // What was handed over last may still be on its way to the disk.
    await expect.poll(() => there.offset(row)).toBe(piece);
    expect(await there.append({ ...row }, piece, chunks(bytes.subarray(piece)), keep)).toBe(SIZE);
    await there.finish(row);
    goOn();
    expect(await outcome).toBeInstanceOf(Superseded);
    expect((await readAll(there, row.id)).equals(bytes)).toBe(true);
  });

  test('[P27] what is removed is gone, finished or not; again is fine', async () => {
    await using system = await open();
    const { here, there } = system;
    const bytes = randomBytes(SIZE);
    const half = newRow();
    await here.append({ ...half.row }, 0, chunks(bytes.subarray(0, 6_000_000)), half.keep);
    const whole = newRow();
    await here.append({ ...whole.row }, 0, chunks(bytes), whole.keep);
    await here.finish(whole.row);
    for (const { row } of [half, whole, half, whole]) await there.remove(row);
    await expect(here.read(whole.row.id, 0, 9)).rejects.toThrow(Missing);
    await expect(here.read(half.row.id, 0, 9)).rejects.toThrow(Missing);
  });
}
