/** Receipts: one row per advance of a watermark, so that "who read this, and when" costs per reading, not per message. */
import { sql } from 'drizzle-orm';
import { bigint, check, pgTable, pgView, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { time } from './columns.ts';

/** Like messages without foreign keys: written only beside a participant's row. */
export const receipts = pgTable(
  'receipts',
  {
    conversationId: uuid('conversation_id').notNull(),
    userId: uuid('user_id').notNull(),
    kind: text('kind', { enum: ['delivered', 'read'] }).notNull(),
    /** The advance covers from_seq < seq <= up_to_seq. */
    fromSeq: bigint('from_seq', { mode: 'number' }).notNull(),
    upToSeq: bigint('up_to_seq', { mode: 'number' }).notNull(),
    at: time('at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'receipts_pk', columns: [t.conversationId, t.userId, t.kind, t.upToSeq] }),
    check('receipts_kind_ck', sql`${t.kind} in ('delivered', 'read')`),
    check('receipts_range_ck', sql`${t.fromSeq} < ${t.upToSeq}`),
  ],
);

/**
 * One row per message and recipient, and one per reaction, in the documented columns: made from watermarks,
 * receipts and reactions, stored nowhere.
 */
export const messageStatuses = pgView('message_statuses', {
  id: uuid('id'),
  messageId: uuid('message_id'),
  userId: uuid('user_id'),
  statusType: text('status_type', { enum: ['sent', 'delivered', 'read', 'reaction'] }),
  /** The tag of the reaction in hex: the emoji itself is sealed. */
  reactionEmoji: text('reaction_emoji'),
  at: time('at'),
}).as(sql`
  select md5(m.id::text || p.user_id::text)::uuid as id, m.id as message_id, p.user_id,
    case when least(p.read_seq, p.reads_hidden_after) >= m.seq then 'read' when p.delivered_seq >= m.seq then 'delivered' else 'sent' end as status_type,
    null::text as reaction_emoji, coalesce(r.at, m.created_at) as at
  from messages m
  join conversation_participants p
    on p.conversation_id = m.conversation_id and p.user_id <> m.sender_id and p.left_at is null and p.joined_seq < m.seq
  left join lateral (
    select r.at from receipts r
    where r.conversation_id = m.conversation_id and r.user_id = p.user_id and r.up_to_seq >= m.seq
      and r.kind = case when least(p.read_seq, p.reads_hidden_after) >= m.seq then 'read' else 'delivered' end
    order by r.up_to_seq limit 1
  ) r on true
  union all
  select x.id, x.message_id, x.user_id, 'reaction', encode(x.tag, 'hex'), x.created_at from reactions x`);
