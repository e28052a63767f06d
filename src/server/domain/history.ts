/** Pages of one conversation's messages, newest first, found by seq: the newest of 100,000 costs what the newest of 100 does. */
import { and, asc, desc, eq, gt, inArray, lt, lte } from 'drizzle-orm';
import type { z } from 'zod';
import { notFound, ParleyError } from '#protocol/errors';
import type { ListMessages, MessagePage } from '#protocol/message';
import type { Db } from '../db/client.ts';
import { messages } from '../db/tables.ts';
import { accessConversation, type Membership } from './access.ts';
import { decodeCursor, encodeCursor } from './cursors.ts';
import { loadReactions, messageColumns, type MessageRow, seenBy, toMessage } from './present.ts';

export async function listMessages(
  db: Db,
  userId: string,
  input: z.output<typeof ListMessages>,
): Promise<z.infer<typeof MessagePage>> {
  const membership = await accessConversation(db, userId, input.conversationId);
  const rows = await select(db, membership, input);
  const found = await loadReactions(
    db,
    rows.map(({ id }) => id),
  );
  const newest = rows[0]?.seq;
  const oldest = rows.at(-1)?.seq;
  const { visibleFromSeq, lastSeq } = membership;
  return {
    messages: rows.map((row) => seenBy(userId, toMessage(row, found.get(row.id)))),
    // Seqs have no holes, so what can be seen is a difference and not a count.
    total: Math.max(0, Math.max(lastSeq, newest ?? 0) - visibleFromSeq),
    nextCursor: oldest !== undefined && oldest > visibleFromSeq + 1 ? encodeCursor('o', oldest) : null,
    prevCursor: newest !== undefined && newest < lastSeq ? encodeCursor('n', newest) : null,
  };
}

async function select(db: Db, membership: Membership, input: z.output<typeof ListMessages>): Promise<MessageRow[]> {
  const { limit, cursor, around } = input;
  if (around) {
    const middle = await seqOf(db, membership, around);
    const newer = await newerThan(db, membership, middle, Math.ceil(limit / 2) - 1);
    return [...newer, ...(await olderThan(db, membership, middle + 1, limit - newer.length))];
  }
  if (!cursor) return olderThan(db, membership, Number.MAX_SAFE_INTEGER, limit);
  const [direction, seq] = decodeCursor(cursor, 'on');
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq)) throw new ParleyError('BAD_REQUEST', 'bad_cursor');
  return direction === 'o' ? olderThan(db, membership, seq, limit) : newerThan(db, membership, seq, limit);
}

const visible = ({ conversationId, visibleFromSeq }: Membership) =>
  and(eq(messages.conversationId, conversationId), gt(messages.seq, visibleFromSeq));

function olderThan(db: Db, membership: Membership, seq: number, limit: number): Promise<MessageRow[]> {
  return db
    .select(messageColumns)
    .from(messages)
    .where(and(visible(membership), lt(messages.seq, seq)))
    .orderBy(desc(messages.seq))
    .limit(limit);
}

async function newerThan(db: Db, membership: Membership, seq: number, limit: number): Promise<MessageRow[]> {
  if (limit < 1) return [];
  const rows = await db
    .select(messageColumns)
    .from(messages)
    .where(and(visible(membership), gt(messages.seq, seq), lte(messages.seq, seq + limit)))
    .orderBy(asc(messages.seq));
  return rows.reverse();
}

async function seqOf(db: Db, membership: Membership, messageId: string): Promise<number> {
  const [row] = await db
    .select({ seq: messages.seq })
    .from(messages)
    .where(and(visible(membership), inArray(messages.id, [messageId])));
  if (!row) throw notFound();
  return row.seq;
}
