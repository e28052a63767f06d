/** Conversations as one person sees them: newest activity first, with the last message and what is unread. */
import { and, count, desc, eq, isNull, or, sql } from 'drizzle-orm';
import type { Conversation, ConversationSeen } from '#protocol/conversation';
import { ParleyError } from '#protocol/errors';
import type { Db, Tx } from '../db/client.ts';
import { conversationParticipants, conversations, messages } from '../db/tables.ts';
import type { Membership } from './access.ts';
import { decodeCursor, encodeCursor } from './cursors.ts';
import { readingFor } from './privacy.ts';
import { loadConversations, loadReactions, messageColumns, seenBy, toMessage } from './present.ts';

/** What of a membership decides how a conversation looks to its owner. */
type Viewer = Pick<
  Membership,
  'conversationId' | 'userId' | 'readSeq' | 'readsHiddenAfter' | 'visibleFromSeq' | 'mutedUntil'
>;

/** Messages after my read watermark. Sending moves the watermark, so none of them is mine. */
const unreadOf = (conversation: Conversation, { readSeq, visibleFromSeq }: Viewer) =>
  Math.max(0, conversation.lastSeq - Math.max(readSeq, visibleFromSeq));

/** A mute that has run out is none. */
const muteOf = ({ mutedUntil }: Viewer) =>
  mutedUntil !== null && mutedUntil.getTime() > Date.now() ? mutedUntil.toISOString() : null;

async function seeMany(db: Db | Tx, viewers: Viewer[]): Promise<ConversationSeen[]> {
  const ids = viewers.map(({ conversationId }) => conversationId);
  const found = await loadConversations(db, ids);
  const last = await loadLastMessages(db, viewers);
  return viewers.flatMap((viewer) => {
    const conversation = found.get(viewer.conversationId);
    if (!conversation) return [];
    const lastMessage = last.get(viewer.conversationId) ?? null;
    const participants = conversation.participants.map((one) => readingFor(viewer, one));
    return [
      {
        ...conversation,
        participants,
        lastMessage,
        unreadCount: unreadOf(conversation, viewer),
        mutedUntil: muteOf(viewer),
      },
    ];
  });
}

async function loadLastMessages(db: Db | Tx, viewers: Viewer[]) {
  const found = new Map<string, ReturnType<typeof seenBy>>();
  const [viewer] = viewers;
  if (!viewer) return found;
  const rows = await db
    .select(messageColumns)
    .from(conversations)
    .innerJoin(messages, and(eq(messages.conversationId, conversations.id), eq(messages.seq, conversations.lastSeq)))
    .innerJoin(
      conversationParticipants,
      and(
        eq(conversationParticipants.conversationId, conversations.id),
        eq(conversationParticipants.userId, viewer.userId),
      ),
    )
    .where(
      and(
        sql`${conversations.id} in ${viewers.map(({ conversationId }) => conversationId)}`,
        sql`${messages.seq} > ${conversationParticipants.visibleFromSeq}`,
      ),
    );
  const given = await loadReactions(
    db,
    rows.map(({ id }) => id),
  );
  for (const row of rows) found.set(row.conversationId, seenBy(viewer.userId, toMessage(row, given.get(row.id))));
  return found;
}

export async function seeConversation(db: Db | Tx, membership: Membership): Promise<ConversationSeen> {
  const [conversation] = await seeMany(db, [membership]);
  if (!conversation) throw new TypeError('a conversation with a membership is missing');
  return conversation;
}

export async function listConversations(
  db: Db | Tx,
  userId: string,
  { limit, cursor }: { limit: number; cursor?: string | null | undefined },
) {
  const mine = and(
    eq(conversationParticipants.userId, userId),
    isNull(conversationParticipants.leftAt),
    eq(conversations.isActive, true),
  );
  const rows = await db
    .select({
      conversationId: conversations.id,
      at: conversations.lastMessageAt,
      userId: conversationParticipants.userId,
      readSeq: conversationParticipants.readSeq,
      readsHiddenAfter: conversationParticipants.readsHiddenAfter,
      mutedUntil: conversationParticipants.mutedUntil,
      visibleFromSeq: conversationParticipants.visibleFromSeq,
    })
    .from(conversationParticipants)
    .innerJoin(conversations, eq(conversations.id, conversationParticipants.conversationId))
    .where(and(mine, cursor ? olderThan(cursor) : undefined))
    .orderBy(desc(conversations.lastMessageAt), desc(conversations.id))
    .limit(limit + 1);
  const [counted] = await db
    .select({ total: count() })
    .from(conversationParticipants)
    .innerJoin(conversations, eq(conversations.id, conversationParticipants.conversationId))
    .where(mine);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    conversations: await seeMany(db, page),
    total: counted?.total ?? 0,
    nextCursor: rows.length > limit && last ? encodeCursor('c', last.at.toISOString(), last.conversationId) : null,
  };
}

function olderThan(cursor: string) {
  const [, at, id] = decodeCursor(cursor, 'c');
  const valid = typeof at === 'string' && !Number.isNaN(Date.parse(at)) && typeof id === 'string' && UUID.test(id);
  if (!valid) throw new ParleyError('BAD_REQUEST', 'bad_cursor');
  return or(
    sql`${conversations.lastMessageAt} < ${at}::timestamptz`,
    and(sql`${conversations.lastMessageAt} = ${at}::timestamptz`, sql`${conversations.id} < ${id}::uuid`),
  );
}
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
