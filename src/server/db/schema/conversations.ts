/**
 * Conversations and who is in them. Every durable change belongs to one conversation and takes its next `version`.
 * Both tables are updated by every message, so nothing that a message changes is indexed, and pages keep room
 * (fillfactor): such updates stay within their page and touch no index (heap-only tuples).
 */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { bytea, time, xid8 } from './columns.ts';
import { users } from './users.ts';

export const conversations = pgTable(
  'conversations',
  {
    id: uuid('id').primaryKey(),
    type: text('type', { enum: ['direct', 'group'] }).notNull(),
    /** An envelope of type meta in base64; null for direct conversations. */
    title: text('title'),
    titleRevision: integer('title_revision').notNull().default(0),
    createdBy: uuid('created_by')
      .notNull()
      .references(() => users.id),
    isActive: boolean('is_active').notNull().default(true),
    lastMessageAt: time('last_message_at').notNull().defaultNow(),
    settings: jsonb('settings').notNull().default({}).$type<Record<string, unknown>>(),
    createdAt: time('created_at').notNull().defaultNow(),
    /** Both ids of a direct conversation, sorted: the same pair is always the same row. */
    directKey: text('direct_key'),
    /** Number of messages so far, and the seq of the newest. */
    lastSeq: bigint('last_seq', { mode: 'number' }).notNull().default(0),
    /** Counts changes: each changed row is stamped with the next value. */
    version: bigint('version', { mode: 'number' }).notNull().default(0),
    /** Version and transaction of the last change to the conversation's own fields (title, settings, epoch, active). */
    ownVersion: bigint('own_version', { mode: 'number' }).notNull().default(0),
    ownXid: xid8('own_xid').notNull().default(sql`pg_current_xact_id()`),
    /** Transaction of the last change to anything in the conversation: what a resume probes first. */
    changedXid: xid8('changed_xid').notNull().default(sql`pg_current_xact_id()`),
    keyEpoch: integer('key_epoch').notNull().default(0),
    epochHash: bytea('epoch_hash').notNull(),
    /** Somebody left or changed keys: no message before the epoch is rotated. */
    rekeyRequired: boolean('rekey_required').notNull().default(false),
  },
  (t) => [
    unique('conversations_direct_key_uq').on(t.directKey),
    check('conversations_type_ck', sql`${t.type} in ('direct', 'group')`),
    check(
      'conversations_title_ck',
      sql`(${t.type} = 'group') = (${t.title} is not null) and (${t.type} = 'direct') = (${t.directKey} is not null)`,
    ),
  ],
);

export const conversationParticipants = pgTable(
  'conversation_participants',
  {
    conversationId: uuid('conversation_id')
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    role: text('role', { enum: ['member', 'moderator', 'admin'] }).notNull(),
    joinedAt: time('joined_at').notNull().defaultNow(),
    joinedSeq: bigint('joined_seq', { mode: 'number' }).notNull().default(0),
    /** Only messages with a greater seq are shown: joined_seq, or 0 with a history grant. */
    visibleFromSeq: bigint('visible_from_seq', { mode: 'number' }).notNull().default(0),
    deliveredSeq: bigint('delivered_seq', { mode: 'number' }).notNull().default(0),
    readSeq: bigint('read_seq', { mode: 'number' }).notNull().default(0),
    /** Set while the person hides what he reads: others see his read watermark no further than this. */
    readsHiddenAfter: bigint('reads_hidden_after', { mode: 'number' }),
    /** Offline delivery has dealt with everything up to this seq: told, or found that there is nobody to tell. */
    notifiedSeq: bigint('notified_seq', { mode: 'number' }).notNull().default(0),
    /** Nothing is pushed until then; the year 9999 means for ever. */
    mutedUntil: time('muted_until'),
    /** Generation and fingerprint of the person's keys in the signed member list. */
    keyGen: integer('key_gen').notNull(),
    keyFingerprint: bytea('key_fingerprint').notNull(),
    /** Set once the person is out; the row stays, so that a resuming client learns of it. */
    leftAt: time('left_at'),
    /** Still in the signed member list. Someone who left stays there until the next rotation. */
    inEpoch: boolean('in_epoch').notNull().default(true),
    version: bigint('version', { mode: 'number' }).notNull(),
    /** Of the last change that took a version: who came, went, has another role or name. */
    ownXid: xid8('own_xid').notNull().default(sql`pg_current_xact_id()`),
    /** Of the last change at all, watermarks included. */
    changedXid: xid8('changed_xid').notNull().default(sql`pg_current_xact_id()`),
  },
  (t) => [
    primaryKey({ name: 'conversation_participants_pk', columns: [t.conversationId, t.userId] }),
    index('conversation_participants_user_idx').on(t.userId, t.conversationId),
    check('conversation_participants_role_ck', sql`${t.role} in ('member', 'moderator', 'admin')`),
    check('conversation_participants_watermarks_ck', sql`${t.readSeq} <= ${t.deliveredSeq}`),
  ],
);
