/** Files: who may upload, read and drop what, and how much. The bytes themselves are the store's (server/files). */
import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { isPaddedLength } from '#crypto/verify';
import { notFound, ParleyError } from '#protocol/errors';
import type { CreateFile, FileLimits } from '#protocol/file';
import { LIMITS } from '#protocol/limits';
import type { Db, Tx } from '../db/client.ts';
import { attachments, conversationParticipants, messages, users } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { type AccessedMessage, accessConversation, requireActive } from './access.ts';

const columns = {
  id: attachments.id,
  conversationId: attachments.conversationId,
  uploaderId: attachments.uploaderId,
  messageId: attachments.messageId,
  size: attachments.cipherSize,
  parts: attachments.parts,
  usedAt: attachments.usedAt,
  completedAt: attachments.completedAt,
};
type Row = typeof attachments.$inferSelect;
export type FileRow = Omit<Pick<Row, keyof typeof columns & keyof Row>, 'size'> & { size: Row['cipherSize'] };

/** Where he is in the conversation now. A file is of one conversation for as long as it exists. */
const inIt = (userId: string) =>
  and(
    eq(conversationParticipants.conversationId, attachments.conversationId),
    eq(conversationParticipants.userId, userId),
    isNull(conversationParticipants.leftAt),
  );

/** My own upload, as long as it hangs on no message. NOT_FOUND for whatever is not mine (P21). */
export async function accessUpload(db: Db | Tx, userId: string, id: string): Promise<FileRow> {
  const [row] = await db
    .select(columns)
    .from(attachments)
    .innerJoin(conversationParticipants, inIt(userId))
    .where(
      and(
        eq(attachments.id, id),
        eq(attachments.uploaderId, userId),
        isNull(attachments.messageId),
        isNull(attachments.removedAt),
      ),
    );
  if (!row) throw notFound();
  return row;
}

/** A complete file that hangs on a message which this person can see, or that he has not sent yet. Else NOT_FOUND (P21). */
export async function accessDownload(db: Db | Tx, userId: string, id: string): Promise<FileRow> {
  const [row] = await db
    .select({ ...columns, visibleFromSeq: conversationParticipants.visibleFromSeq, seq: messages.seq })
    .from(attachments)
    .innerJoin(conversationParticipants, inIt(userId))
    .leftJoin(messages, and(eq(messages.id, attachments.messageId), eq(messages.isDeleted, false)))
    .where(and(eq(attachments.id, id), isNull(attachments.removedAt)));
  if (!row || row.completedAt === null) throw notFound();
  const { visibleFromSeq, seq, ...file } = row;
  const isMine = file.messageId === null && file.uploaderId === userId;
  const isSeen = seq !== null && seq > visibleFromSeq;
  if (!isMine && !isSeen) throw notFound();
  return file;
}

/** The upload as it is; made when there is none. What it refuses, it refuses before any byte. */
export async function createFile(deps: Deps, userId: string, input: z.output<typeof CreateFile>): Promise<FileRow> {
  const membership = await accessConversation(deps.db, userId, input.conversationId);
  const known = await find(deps.db, userId, input);
  if (known) return known;
  requireActive(membership);
  const { maxBytes } = deps.env.files;
  if (input.size > maxBytes)
    throw new ParleyError('PAYLOAD_TOO_LARGE', 'file_too_large', {
      limit: maxBytes,
      message: `a file may have ${maxBytes} bytes`,
    });
  if (!isPaddedLength(input.size)) throw new ParleyError('BAD_REQUEST', 'not_padded');
  return deps.db.transaction(async (tx) => {
    // One at a time for each person: two at once could both find room for one.
    await tx.select({ id: users.id }).from(users).where(eq(users.id, userId)).for('no key update');
    const meanwhile = await find(tx, userId, input);
    if (meanwhile) return meanwhile;
    await requireRoom(tx, deps, userId, input.size);
    const { id, conversationId, size } = input;
    await tx
      .insert(attachments)
      .values({ id, conversationId, uploaderId: userId, cipherSize: size })
      .onConflictDoNothing({ target: attachments.id });
    const row = await find(tx, userId, input);
    if (!row) throw new ParleyError('CONFLICT', 'file_id_taken');
    return row;
  });
}

/** @throws CONFLICT when the id stands for something else. */
async function find(db: Db | Tx, userId: string, input: z.output<typeof CreateFile>): Promise<FileRow | undefined> {
  const [row] = await db
    .select({ ...columns, removedAt: attachments.removedAt })
    .from(attachments)
    .where(eq(attachments.id, input.id));
  if (!row) return undefined;
  const { removedAt, ...file } = row;
  const same = file.uploaderId === userId && file.conversationId === input.conversationId && file.size === input.size;
  if (!same || removedAt !== null) throw new ParleyError('CONFLICT', 'file_id_taken');
  return file;
}

async function usage(db: Db | Tx, userId: string): Promise<{ bytes: number; unsent: number }> {
  const [row] = await db
    .select({
      bytes: sql<number>`coalesce(sum(${attachments.cipherSize}), 0)`.mapWith(Number),
      unsent: sql<number>`count(*) filter (where ${attachments.messageId} is null)`.mapWith(Number),
    })
    .from(attachments)
    .where(and(eq(attachments.uploaderId, userId), isNull(attachments.removedAt)));
  return row ?? { bytes: 0, unsent: 0 };
}

async function requireRoom(tx: Tx, { env }: Deps, userId: string, size: number): Promise<void> {
  const { bytes, unsent } = await usage(tx, userId);
  const { quotaBytes } = env.files;
  if (bytes + size > quotaBytes)
    throw new ParleyError('PAYLOAD_TOO_LARGE', 'quota_exceeded', {
      limit: quotaBytes,
      message: `your files may have ${quotaBytes} bytes together, and have ${bytes}`,
    });
  if (unsent >= LIMITS.unsentFiles)
    throw new ParleyError('BAD_REQUEST', 'too_many_files', { limit: LIMITS.unsentFiles });
}

export async function fileLimits({ db, env }: Deps, userId: string): Promise<z.infer<typeof FileLimits>> {
  const { maxBytes, quotaBytes, perMessage } = env.files;
  return { maxBytes, quotaBytes, perMessage, usedBytes: (await usage(db, userId)).bytes };
}

/** Of a message that is being deleted: nobody finds them from now on, and the sweep takes the bytes. */
export async function dropAttachments(tx: Tx, message: AccessedMessage): Promise<void> {
  const ids = message.attachments?.map(({ id }) => id) ?? [];
  if (ids.length === 0) return;
  await tx
    .update(attachments)
    .set({ messageId: null, removedAt: sql`now()` })
    .where(and(inArray(attachments.id, ids), eq(attachments.messageId, message.id)));
}
