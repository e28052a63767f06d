/** Rows become what the wire shows: the one place where times turn into text and reactions are gathered. */
import { asc, eq, isNull, and, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Conversation } from '#protocol/conversation';
import type { Message, MessageSeen, Reaction } from '#protocol/message';
import type { Participant } from '#protocol/participant';
import type { User } from '#protocol/user';
import type { Db, Tx } from '../db/client.ts';
import { conversationParticipants, conversations, messages, reactions, users } from '../db/tables.ts';

export const userColumns = {
  id: users.id,
  username: users.username,
  displayName: users.displayName,
  avatarUrl: users.avatarUrl,
};

export const messageColumns = {
  id: messages.id,
  conversationId: messages.conversationId,
  seq: messages.seq,
  senderId: messages.senderId,
  contentEncrypted: messages.contentEncrypted,
  keyEpoch: messages.keyEpoch,
  firstKeyEpoch: messages.firstKeyEpoch,
  messageType: messages.messageType,
  attachments: messages.attachments,
  isEdited: messages.isEdited,
  isDeleted: messages.isDeleted,
  createdAt: messages.createdAt,
  editedAt: messages.editedAt,
  version: messages.version,
};
export type MessageRow = { [K in keyof typeof messageColumns]: (typeof messages.$inferSelect)[K] };

const NONE: Reaction[] = [];
/** Many ids as one parameter: a list of hundreds costs more to write down than to look up. */
const among = (column: PgColumn, ids: readonly string[]) => sql`${column} = any(${`{${ids.join(',')}}`}::uuid[])`;

export function toMessage(row: MessageRow, found: Reaction[] = NONE): Message {
  return {
    ...row,
    attachments: row.attachments ?? [],
    createdAt: row.createdAt.toISOString(),
    editedAt: row.editedAt?.toISOString() ?? null,
    reactions: found,
  };
}

/** The same message for one viewer: `mine` is the only thing that depends on who looks. */
export function seenBy(viewerId: string, message: Message): MessageSeen {
  return { ...message, reactions: message.reactions.map((r) => ({ ...r, mine: r.userIds.includes(viewerId) })) };
}

/** Reactions of many messages in one query, in the order in which each emoji first came. */
export async function loadReactions(db: Db | Tx, messageIds: string[]): Promise<Map<string, Reaction[]>> {
  const found = new Map<string, Reaction[]>();
  if (messageIds.length === 0) return found;
  const rows = await db
    .select({
      messageId: reactions.messageId,
      tag: sql<string>`encode(${reactions.tag}, 'base64')`,
      count: sql<number>`count(*)::int`,
      sample: sql<string>`(array_agg(${reactions.contentEncrypted} order by ${reactions.createdAt}, ${reactions.id}))[1]`,
      userIds: sql<string[]>`array_agg(${reactions.userId}::text order by ${reactions.createdAt}, ${reactions.id})`,
    })
    .from(reactions)
    .where(among(reactions.messageId, messageIds))
    .groupBy(reactions.messageId, reactions.tag)
    .orderBy(sql`min(${reactions.createdAt})`, reactions.tag);
  for (const { messageId, ...reaction } of rows) {
    const list = found.get(messageId) ?? [];
    list.push(reaction);
    found.set(messageId, list);
  }
  return found;
}

export async function loadMessages(db: Db | Tx, ids: string[]): Promise<Message[]> {
  if (ids.length === 0) return [];
  const [rows, found] = await Promise.all([
    db.select(messageColumns).from(messages).where(among(messages.id, ids)),
    loadReactions(db, ids),
  ]);
  return rows.map((row) => toMessage(row, found.get(row.id)));
}

const participantColumns = {
  conversationId: conversationParticipants.conversationId,
  user: userColumns,
  role: conversationParticipants.role,
  joinedAt: conversationParticipants.joinedAt,
  joinedSeq: conversationParticipants.joinedSeq,
  deliveredSeq: conversationParticipants.deliveredSeq,
  /** As others see it. */
  readSeq:
    sql<number>`least(${conversationParticipants.readSeq}, ${conversationParticipants.readsHiddenAfter})`.mapWith(
      Number,
    ),
  version: conversationParticipants.version,
};

export interface ParticipantRow {
  conversationId: string;
  version: number;
  participant: Participant;
}

/**
 * Everybody who is in these conversations now, or who of `userIds` is, in the order of joining. For a viewer his own row
 * tells how far he has really read; what is shared by many has none.
 */
export async function loadParticipants(
  db: Db | Tx,
  conversationIds: string[],
  { viewerId, userIds }: { viewerId?: string | undefined; userIds?: string[] } = {},
): Promise<ParticipantRow[]> {
  if (conversationIds.length === 0) return [];
  const rows = await db
    .select({ ...participantColumns, ownReadSeq: conversationParticipants.readSeq })
    .from(conversationParticipants)
    .innerJoin(users, eq(users.id, conversationParticipants.userId))
    .where(
      and(
        among(conversationParticipants.conversationId, conversationIds),
        userIds && among(conversationParticipants.userId, userIds),
        isNull(conversationParticipants.leftAt),
      ),
    )
    .orderBy(asc(conversationParticipants.joinedAt), asc(conversationParticipants.userId));
  return rows.map(({ conversationId, version, ownReadSeq, readSeq, ...row }) => ({
    conversationId,
    version,
    participant: {
      ...row,
      user: row.user satisfies User,
      readSeq: row.user.id === viewerId ? ownReadSeq : readSeq,
      joinedAt: row.joinedAt.toISOString(),
    },
  }));
}

/** Whole conversations as the feed carries them, participants included. For the viewer, see loadParticipants. */
export async function loadConversations(
  db: Db | Tx,
  ids: string[],
  viewerId?: string,
): Promise<Map<string, Conversation>> {
  const found = new Map<string, Conversation>();
  if (ids.length === 0) return found;
  const rows = await db
    .select({
      id: conversations.id,
      type: conversations.type,
      title: conversations.title,
      createdBy: conversations.createdBy,
      createdAt: conversations.createdAt,
      isActive: conversations.isActive,
      lastMessageAt: conversations.lastMessageAt,
      lastSeq: conversations.lastSeq,
      settings: conversations.settings,
      keyEpoch: conversations.keyEpoch,
      rekeyRequired: conversations.rekeyRequired,
      version: conversations.ownVersion,
    })
    .from(conversations)
    .where(among(conversations.id, ids));
  for (const row of rows)
    found.set(row.id, {
      ...row,
      createdAt: row.createdAt.toISOString(),
      lastMessageAt: row.lastMessageAt.toISOString(),
      participants: [],
    });
  for (const { conversationId, participant } of await loadParticipants(db, ids, { viewerId }))
    found.get(conversationId)?.participants.push(participant);
  return found;
}
