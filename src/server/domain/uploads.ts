/** The course of an upload: bytes taken from where it stands, completed once all are there, given up. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { notFound, ParleyError } from '#protocol/errors';
import type { CreateFile, FileProgress } from '#protocol/file';
import { attachments } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { partSizeOf, Superseded } from '../files/storage.ts';
import { accessUpload, createFile, type FileRow } from './files.ts';

/** How exactly the row says when it was used. The sweep looks at hours. */
const USED_MS = 60_000;

/** The bytes are for another place than where the upload is. */
export class OffsetStale extends ParleyError {
  readonly offset: number;

  constructor(offset: number) {
    super('CONFLICT', 'offset_stale');
    this.offset = offset;
  }
}

export async function beginUpload(
  deps: Deps,
  userId: string,
  input: z.output<typeof CreateFile>,
): Promise<FileProgress> {
  const row = await createFile(deps, userId, input);
  return { id: row.id, size: row.size, offset: await progress(deps, row), partSize: partSizeOf(row.size) };
}

/** Where the upload stands. One whose last byte came just before a crash is completed here. */
export async function progress(deps: Deps, row: FileRow): Promise<number> {
  if (row.completedAt !== null) return row.size;
  const offset = await deps.files.storage.offset(row);
  if (offset < row.size) return offset;
  try {
    await deps.files.turns.take(row.id, async () =>
      complete(deps, await accessUpload(deps.db, row.uploaderId, row.id)),
    );
  } catch (error) {
    if (!(error instanceof Superseded)) throw error;
    // Another process is completing it.
    throw new ParleyError('SERVICE_UNAVAILABLE', 'overloaded', { retryAfterMs: 1_000, cause: error });
  }
  return offset;
}

export interface Piece {
  readonly at: number;
  /** Null when it was not said beforehand. */
  readonly length: number | null;
  /** Ends by itself, or throws once `signal` is aborted. */
  body(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Takes over from whoever is at the same upload. @returns the new offset @throws OffsetStale, NOT_FOUND, `file_too_large` */
export async function receive(deps: Deps, userId: string, id: string, piece: Piece): Promise<number> {
  // Nobody is interrupted by a stranger.
  if (deps.files.turns.isTaken(id)) await accessUpload(deps.db, userId, id);
  return deps.files.turns.take(id, async (signal) => {
    const row = await accessUpload(deps.db, userId, id);
    const { storage } = deps.files;
    const offset = row.completedAt === null ? await storage.offset(row) : row.size;
    if (piece.at !== offset) throw new OffsetStale(offset);
    const room = row.size - offset;
    if ((piece.length ?? 0) > room) throw tooLong(row);
    if (row.completedAt !== null) return offset;
    try {
      const body = atMost(room, row, inUse(deps, row, piece.body(signal)));
      const end = await storage.append(row, offset, body, (parts, before) => keep(deps, id, parts, before));
      if (end === row.size) await complete(deps, await accessUpload(deps.db, userId, id));
      return end;
    } catch (error) {
      if (!(error instanceof Superseded)) throw error;
      const now = await accessUpload(deps.db, userId, id);
      throw new OffsetStale(now.completedAt === null ? await storage.offset(now) : now.size);
    }
  });
}

const byId = (id: string) => eq(attachments.id, id);

async function keep({ db }: Deps, id: string, parts: unknown, before: unknown): Promise<void> {
  const asBefore =
    before === null ? isNull(attachments.parts) : sql`${attachments.parts} = ${JSON.stringify(before)}::jsonb`;
  const kept = await db
    .update(attachments)
    .set({ parts, usedAt: sql`now()` })
    .where(and(byId(id), isNull(attachments.completedAt), isNull(attachments.removedAt), asBefore))
    .returning({ id: attachments.id });
  if (kept.length === 0) throw new Superseded();
}

const tooLong = ({ size }: FileRow) =>
  new ParleyError('PAYLOAD_TOO_LARGE', 'file_too_large', { limit: size, message: 'more bytes than were announced' });

async function* atMost(room: number, row: FileRow, body: AsyncIterable<Uint8Array>) {
  let left = room;
  for await (const bytes of body) {
    left -= bytes.length;
    if (left < 0) throw tooLong(row);
    yield bytes;
  }
}

/** A single body may take longer than the sweep waits. */
async function* inUse(deps: Deps, row: FileRow, body: AsyncIterable<Uint8Array>) {
  let said = row.usedAt.getTime();
  for await (const bytes of body) {
    if (said < deps.now() - USED_MS) {
      said = deps.now();
      await deps.db.update(attachments).set({ usedAt: sql`now()` }).where(byId(row.id));
    }
    yield bytes;
  }
}

/** The bytes first, then the row: what the row calls complete can be read. */
async function complete(deps: Deps, row: FileRow): Promise<void> {
  if (row.completedAt !== null) return;
  await deps.files.storage.finish(row);
  const done = await deps.db
    .update(attachments)
    .set({ completedAt: sql`coalesce(${attachments.completedAt}, now())`, usedAt: sql`now()`, parts: null })
    .where(and(byId(row.id), isNull(attachments.removedAt)))
    .returning({ id: attachments.id });
  if (done.length > 0) return;
  // Given up in this very moment.
  await deps.files.storage.remove(row);
  throw notFound();
}

/** Gives up an upload of mine that hangs on no message. What is not there is given up already. */
export async function cancelUpload(deps: Deps, userId: string, id: string): Promise<{ success: true }> {
  const mine = and(byId(id), eq(attachments.uploaderId, userId));
  const dropped = await deps.db
    .update(attachments)
    .set({ removedAt: sql`now()` })
    .where(and(mine, isNull(attachments.messageId), isNull(attachments.removedAt)))
    .returning({ id: attachments.id });
  if (dropped.length > 0) {
    await deps.files.turns.stop(id);
    return { success: true };
  }
  const [sent] = await deps.db.select({ messageId: attachments.messageId }).from(attachments).where(mine);
  if (sent?.messageId) throw new ParleyError('CONFLICT', 'attachment_taken');
  return { success: true };
}
