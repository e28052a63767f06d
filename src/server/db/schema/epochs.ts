/** The signed chain of member lists, and each epoch's key wrapped for each member. The server holds no key that opens a wrap. */
import { sql } from 'drizzle-orm';
import { bigint, check, index, integer, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core';
import { bytea, time, xid8 } from './columns.ts';
import { conversations } from './conversations.ts';
import { users } from './users.ts';

export const conversationEpochs = pgTable(
  'conversation_epochs',
  {
    conversationId: uuid('conversation_id')
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    epoch: integer('epoch').notNull(),
    record: bytea('record').notNull(),
    sig: bytea('sig').notNull(),
    hash: bytea('hash').notNull(),
    authorId: uuid('author_id')
      .notNull()
      .references(() => users.id),
    /** last_seq when the epoch was accepted: a message with a greater seq must not use an older epoch. */
    seq: bigint('seq', { mode: 'number' }).notNull(),
    version: bigint('version', { mode: 'number' }).notNull(),
    changedXid: xid8('changed_xid').notNull().default(sql`pg_current_xact_id()`),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'conversation_epochs_pk', columns: [t.conversationId, t.epoch] }),
    index('conversation_epochs_changed_idx').on(t.conversationId, t.changedXid),
  ],
);

export const epochKeyWraps = pgTable(
  'epoch_key_wraps',
  {
    conversationId: uuid('conversation_id')
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    epoch: integer('epoch').notNull(),
    userGen: integer('user_gen').notNull(),
    wrapped: bytea('wrapped').notNull(),
  },
  (t) => [
    primaryKey({ name: 'epoch_key_wraps_pk', columns: [t.conversationId, t.userId, t.epoch] }),
    check('epoch_key_wraps_length_ck', sql`octet_length(${t.wrapped}) = 1168`),
  ],
);

/** Older epoch keys, sealed by somebody who has them for somebody who was added. */
export const historyGrants = pgTable(
  'history_grants',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    conversationId: uuid('conversation_id')
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    fromUser: uuid('from_user')
      .notNull()
      .references(() => users.id),
    toUser: uuid('to_user')
      .notNull()
      .references(() => users.id),
    toGen: integer('to_gen').notNull(),
    /** Hash of the epoch record that was the newest when the grant was made. */
    head: bytea('head').notNull(),
    sealed: bytea('sealed').notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (t) => [index('history_grants_to_idx').on(t.toUser, t.conversationId)],
);

/**
 * All epoch keys that a person holds of a conversation in one blob, sealed by the client under a key of its own: a new browser
 * opens one box instead of one wrap for each epoch. `throughEpoch` is the last epoch in it.
 */
export const keychains = pgTable(
  'keychains',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    conversationId: uuid('conversation_id')
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    throughEpoch: integer('through_epoch').notNull(),
    data: bytea('data').notNull(),
    updatedAt: time('updated_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'keychains_pk', columns: [t.userId, t.conversationId] }),
    index('keychains_conversation_idx').on(t.conversationId),
  ],
);
