/** Messages and reactions. Content is ciphertext made by clients; the server stores and orders it. */
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
import type { Attachment } from '#protocol/file';
import { bytea, time, xid8 } from './columns.ts';
import { users } from './users.ts';

/**
 * No foreign keys here: the writer's one statement joins each row to a locked conversation and participant, which have
 * them; checking both again for every row costs a third of the write (docs/decisions/0003-writing.md).
 */
export const messages = pgTable(
  'messages',
  {
    /** Made by the client, so that a retry is the same message. */
    id: uuid('id').primaryKey(),
    conversationId: uuid('conversation_id').notNull(),
    /** 1..N in the conversation, without holes. */
    seq: bigint('seq', { mode: 'number' }).notNull(),
    senderId: uuid('sender_id').notNull(),
    /** The envelope in base64; the signed tombstone once deleted. */
    contentEncrypted: text('content_encrypted').notNull(),
    messageType: text('message_type', { enum: ['text', 'image', 'file', 'system', 'voice'] }).notNull(),
    /** What hangs on it, as the wire shows it: pages and the feed need no join. Who may read a file is judged by `attachments`. */
    attachments: jsonb('attachments').$type<Attachment[]>(),
    keyEpoch: integer('key_epoch').notNull(),
    firstKeyEpoch: integer('first_key_epoch').notNull(),
    /** Edits so far; the tombstone counts as one. */
    revision: integer('revision').notNull().default(0),
    isEdited: boolean('is_edited').notNull().default(false),
    isDeleted: boolean('is_deleted').notNull().default(false),
    createdAt: time('created_at').notNull().defaultNow(),
    editedAt: time('edited_at'),
    /** SHA-256 of the first envelope: tells a retry from another use of the id, also after edits. */
    sentHash: bytea('sent_hash').notNull(),
    version: bigint('version', { mode: 'number' }).notNull(),
    changedXid: xid8('changed_xid').notNull().default(sql`pg_current_xact_id()`),
  },
  (t) => [
    unique('messages_conversation_seq_uq').on(t.conversationId, t.seq),
    index('messages_conversation_created_idx').on(t.conversationId, sql`${t.createdAt} desc`),
    index('messages_conversation_changed_idx').on(t.conversationId, t.changedXid),
    check('messages_seq_ck', sql`${t.seq} > 0`),
    check('messages_type_ck', sql`${t.messageType} in ('text', 'image', 'file', 'system', 'voice')`),
  ],
);

/** Hashes of accepted edits and tombstones, so that a retried one is recognised after later ones. No content. */
export const messageRevisions = pgTable(
  'message_revisions',
  {
    messageId: uuid('message_id')
      .notNull()
      .references(() => messages.id, { onDelete: 'cascade' }),
    revision: integer('revision').notNull(),
    hash: bytea('hash').notNull(),
  },
  (t) => [primaryKey({ name: 'message_revisions_pk', columns: [t.messageId, t.revision] })],
);

export const reactions = pgTable(
  'reactions',
  {
    id: uuid('id').primaryKey(),
    messageId: uuid('message_id')
      .notNull()
      .references(() => messages.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    /** HMAC of the emoji under a key of the message's first epoch: equal emoji have equal tags, nothing more. */
    tag: bytea('tag').notNull(),
    contentEncrypted: text('content_encrypted').notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (t) => [unique('reactions_message_user_tag_uq').on(t.messageId, t.userId, t.tag)],
);
