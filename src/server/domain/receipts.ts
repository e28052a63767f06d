/** Watermarks of what was delivered to, and read by, each person; they only grow. */
import { and, asc, eq, gt, isNull, ne, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { notFound } from '#protocol/errors';
import type { Advance, MessageStatus, SetStatus, Watermarks } from '#protocol/receipt';
import { conversationParticipants } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { accessMessage } from './access.ts';

/** Only a real move is told to others. */
export async function advance(
  deps: Deps,
  userId: string,
  { conversationId, deliveredSeq, readSeq }: z.output<typeof Advance>,
): Promise<z.infer<typeof Watermarks>> {
  const goal = { conversationId, userId, deliveredSeq: deliveredSeq ?? 0, readSeq: readSeq ?? 0 };
  const standing = await deps.advances.advance(goal);
  if (!standing) throw notFound();
  const { delivered, read, shown, moved, told } = standing;
  if (moved) deps.receiptNews.note(conversationId, { userId, delivered, read, shown: told ? shown : null });
  return { conversationId, deliveredSeq: delivered, readSeq: read };
}

/** Somebody has read by answering. The writer has noted it with the message; what is left is to tell. */
export function tellAnswer(
  { receiptNews }: Pick<Deps, 'receiptNews'>,
  answer: {
    readonly conversationId: string;
    readonly userId: string;
    readonly readsHiddenAfter: number | null;
    readonly seq: number;
  },
): void {
  const { conversationId, userId, seq, readsHiddenAfter } = answer;
  const shown = Math.min(seq, readsHiddenAfter ?? seq);
  receiptNews.note(conversationId, { userId, delivered: seq, read: seq, shown });
}

/** The status of one message covers everything before it; the answer is what holds now, never less than before. */
export async function setStatus(deps: Deps, userId: string, { messageId, status }: z.output<typeof SetStatus>) {
  const { message } = await accessMessage(deps.db, userId, messageId);
  const { conversationId, seq } = message;
  const marks = await advance(deps, userId, {
    conversationId,
    ...(status === 'read' ? { readSeq: seq } : { deliveredSeq: seq }),
  });
  return { messageId, status: marks.readSeq >= seq ? ('read' as const) : ('delivered' as const) };
}

/** Every recipient of a message: how far it got with him, and when (the first advance that covers its seq). */
export async function listStatuses(deps: Deps, userId: string, messageId: string): Promise<MessageStatus[]> {
  const { message, membership } = await accessMessage(deps.db, userId, messageId);
  const seesReading = membership.readsHiddenAfter === null;
  const p = conversationParticipants;
  // Names spelt out: the query builder leaves the table away here, and the subquery would compare receipts with themselves.
  const firstCovering = (kind: 'delivered' | 'read') => sql<string | null>`(
    select r.at from receipts r where r.conversation_id = conversation_participants.conversation_id and r.user_id = conversation_participants.user_id
      and r.kind = ${kind} and r.up_to_seq >= ${message.seq} order by r.up_to_seq limit 1)`;
  const rows = await deps.db
    .select({
      userId: p.userId,
      deliveredSeq: p.deliveredSeq,
      readSeq: sql<number>`case when ${p.userId} = ${userId} then ${p.readSeq}
        else least(${p.readSeq}, ${p.readsHiddenAfter}) end`.mapWith(Number),
      // What is read is delivered: one row stands for both.
      deliveredAt: sql<string | null>`least(${firstCovering('delivered')}, ${firstCovering('read')})`,
      readAt: firstCovering('read'),
    })
    .from(p)
    .where(
      and(
        eq(p.conversationId, message.conversationId),
        ne(p.userId, message.senderId),
        isNull(p.leftAt),
        // Who came later was no recipient, even if a grant lets him read it now.
        gt(sql`${message.seq}::bigint`, p.joinedSeq),
      ),
    )
    .orderBy(asc(p.joinedAt), asc(p.userId));
  const iso = (at: string | null) => (at === null ? null : new Date(at).toISOString());
  return rows.map((row) => {
    const isRead = row.readSeq >= message.seq && (seesReading || row.userId === userId);
    return {
      userId: row.userId,
      status: isRead ? 'read' : row.deliveredSeq >= message.seq ? 'delivered' : 'sent',
      deliveredAt: iso(row.deliveredAt),
      readAt: isRead ? iso(row.readAt) : null,
    };
  });
}
