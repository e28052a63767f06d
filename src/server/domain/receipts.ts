/** Watermarks of what was delivered to, and read by, each person; they only grow. */
import { and, asc, eq, gt, isNull, ne, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { notFound } from '#protocol/errors';
import type { Advance, MessageStatus, SetStatus, Watermarks } from '#protocol/receipt';
import { conversationParticipants } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { accessMessage } from './access.ts';

interface Row {
  delivered: number;
  read: number;
  /** As others see it: no further than where the person began to hide what he reads. */
  shown: number;
  moved: boolean;
  /** Something has moved that others may know. */
  told: boolean;
}

/**
 * One statement: clamps to the last message, moves the watermarks forward if they move at all, and keeps one row per
 * advance with its time. What is read is delivered. Only a real move is told to others.
 */
export async function advance(
  deps: Deps,
  userId: string,
  { conversationId, deliveredSeq, readSeq }: z.output<typeof Advance>,
): Promise<z.infer<typeof Watermarks>> {
  const [row] = await deps.hot<Row[]>`
    with p as (
      select p.delivered_seq, p.read_seq, p.reads_hidden_after, c.last_seq from conversation_participants p
      join conversations c on c.id = p.conversation_id
      where p.conversation_id = ${conversationId} and p.user_id = ${userId} and p.left_at is null for no key update of p
    ),
    goal as (
      select p.*, greatest(p.read_seq, least(${readSeq ?? 0}::bigint, p.last_seq)) as read,
        greatest(p.delivered_seq, least(greatest(${deliveredSeq ?? 0}::bigint, ${readSeq ?? 0}::bigint), p.last_seq)) as delivered
      from p
    ),
    moved as (
      update conversation_participants t set delivered_seq = g.delivered, read_seq = g.read, changed_xid = pg_current_xact_id()
      from goal g where t.conversation_id = ${conversationId} and t.user_id = ${userId}
        and (g.delivered > g.delivered_seq or g.read > g.read_seq)
      returning 1
    ),
    noted as (
      insert into receipts (conversation_id, user_id, kind, from_seq, up_to_seq)
      select ${conversationId}::uuid, ${userId}::uuid, 'delivered', g.delivered_seq, g.delivered from goal g where g.delivered > g.delivered_seq
      union all
      select ${conversationId}::uuid, ${userId}::uuid, 'read', g.read_seq, g.read from goal g where g.read > g.read_seq and g.reads_hidden_after is null
      on conflict do nothing
    )
    select g.delivered, g.read, least(g.read, g.reads_hidden_after) as shown, exists (select 1 from moved) as moved,
      g.delivered > g.delivered_seq or (g.read > g.read_seq and g.reads_hidden_after is null) as told from goal g`;
  if (!row) throw notFound();
  const marks = { conversationId, deliveredSeq: row.delivered, readSeq: row.read };
  if (row.moved) {
    const signal = { ...marks, userId, at: new Date().toISOString() };
    const shown = row.told ? { ...signal, readSeq: row.shown } : null;
    deps.bus.publish({ kind: 'receipt', conversationId, signal, shown });
  }
  return marks;
}

/** Somebody has read by answering. The writer has noted it with the message; what is left is to tell. */
export function tellAnswer(
  { bus }: Pick<Deps, 'bus'>,
  answer: {
    readonly conversationId: string;
    readonly userId: string;
    readonly readsHiddenAfter: number | null;
    readonly seq: number;
    readonly at: string;
  },
): void {
  const { conversationId, userId, seq, at, readsHiddenAfter } = answer;
  const signal = { conversationId, userId, deliveredSeq: seq, readSeq: seq, at };
  const shown = { ...signal, readSeq: Math.min(seq, readsHiddenAfter ?? seq) };
  bus.publish({ kind: 'receipt', conversationId, signal, shown });
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
      deliveredAt: firstCovering('delivered'),
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
