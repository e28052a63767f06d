/** Uploads, and what they hang on: who may read a file follows from here. The bytes are elsewhere (server/files). */
import { sql } from 'drizzle-orm';
import { bigint, check, index, jsonb, pgTable, uuid } from 'drizzle-orm/pg-core';
import { time } from './columns.ts';
import { conversations } from './conversations.ts';
import { users } from './users.ts';

export const attachments = pgTable(
  'attachments',
  {
    /** Made by the client, because it is inside of what is sealed. */
    id: uuid('id').primaryKey(),
    conversationId: uuid('conversation_id')
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    uploaderId: uuid('uploader_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** The message that names it; null before it is sent, and again once that is deleted. */
    messageId: uuid('message_id'),
    cipherSize: bigint('cipher_size', { mode: 'number' }).notNull(),
    /** What an object store needs to go on with an unfinished upload. */
    parts: jsonb('parts').$type<unknown>(),
    createdAt: time('created_at').notNull().defaultNow(),
    /** Of the last bytes that came. */
    usedAt: time('used_at').notNull().defaultNow(),
    /** Before this nobody can send or read it, after this nobody can write it. */
    completedAt: time('completed_at'),
    /** Nobody can send or read it any more; its bytes go with the next sweep, then the row. */
    removedAt: time('removed_at'),
  },
  (t) => [
    index('attachments_uploader_idx').on(t.uploaderId),
    // What the sweep looks at. Attachments of messages are not in it.
    index('attachments_loose_idx').on(t.usedAt).where(sql`${t.messageId} is null`),
    check('attachments_size_ck', sql`${t.cipherSize} > 0`),
  ],
);
