/** The only maker of memberships: domain functions take one, so a forgotten check does not compile. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import { notFound, ParleyError } from '#protocol/errors';
import { type Role, rankOf } from '#protocol/participant';
import type { Db, Tx } from '../db/client.ts';
import { conversationParticipants, conversations, messages } from '../db/tables.ts';

const columns = {
  conversationId: conversations.id,
  type: conversations.type,
  title: conversations.title,
  titleRevision: conversations.titleRevision,
  isActive: conversations.isActive,
  lastSeq: conversations.lastSeq,
  keyEpoch: conversations.keyEpoch,
  epochHash: conversations.epochHash,
  rekeyRequired: conversations.rekeyRequired,
  userId: conversationParticipants.userId,
  role: conversationParticipants.role,
  joinedSeq: conversationParticipants.joinedSeq,
  visibleFromSeq: conversationParticipants.visibleFromSeq,
  deliveredSeq: conversationParticipants.deliveredSeq,
  readSeq: conversationParticipants.readSeq,
  readsHiddenAfter: conversationParticipants.readsHiddenAfter,
  mutedUntil: conversationParticipants.mutedUntil,
  keyGen: conversationParticipants.keyGen,
};

declare const checked: unique symbol;
/** Proof that this person is in this conversation now, with what both are like. */
export type Membership = {
  readonly [checked]: true;
  readonly conversationId: string;
  readonly userId: string;
  readonly type: 'direct' | 'group';
  readonly title: string | null;
  readonly titleRevision: number;
  readonly isActive: boolean;
  readonly lastSeq: number;
  readonly keyEpoch: number;
  readonly epochHash: Uint8Array;
  readonly rekeyRequired: boolean;
  readonly role: Role;
  readonly joinedSeq: number;
  readonly visibleFromSeq: number;
  readonly deliveredSeq: number;
  readonly readSeq: number;
  /** Not null: the person hides what he reads, and does not see what others read. */
  readonly readsHiddenAfter: number | null;
  readonly mutedUntil: Date | null;
  readonly keyGen: number;
};

/** NOT_FOUND for those outside, whether the conversation exists or not (P21). */
export async function accessConversation(db: Db | Tx, userId: string, conversationId: string): Promise<Membership> {
  const [row] = await db
    .select(columns)
    .from(conversationParticipants)
    .innerJoin(conversations, eq(conversations.id, conversationParticipants.conversationId))
    .where(
      and(
        eq(conversationParticipants.conversationId, conversationId),
        eq(conversationParticipants.userId, userId),
        isNull(conversationParticipants.leftAt),
      ),
    );
  if (!row) throw notFound();
  return row as unknown as Membership;
}

/**
 * The same, holding the conversation's row until the transaction ends: everything that changes a conversation goes
 * through here first, so versions and epochs are given out one at a time. Outsiders lock nothing.
 */
export async function lockConversation(tx: Tx, userId: string, conversationId: string): Promise<Membership> {
  await tx.execute(sql`
    select c.id from conversations c where c.id = ${conversationId} and exists (
      select 1 from conversation_participants p
      where p.conversation_id = c.id and p.user_id = ${userId} and p.left_at is null) for update of c`);
  // A second statement, so that it sees what was committed while we waited for the lock.
  return accessConversation(tx, userId, conversationId);
}

const messageColumns = {
  id: messages.id,
  conversationId: messages.conversationId,
  seq: messages.seq,
  senderId: messages.senderId,
  contentEncrypted: messages.contentEncrypted,
  revision: messages.revision,
  isDeleted: messages.isDeleted,
  attachments: messages.attachments,
};
export type AccessedMessage = { [K in keyof typeof messageColumns]: (typeof messages.$inferSelect)[K] };

/** A message and my membership in its conversation; locked for a change when asked. */
export async function accessMessage(
  tx: Db | Tx,
  userId: string,
  messageId: string,
  lock?: 'lock',
): Promise<{ membership: Membership; message: AccessedMessage }> {
  const find = () => tx.select(messageColumns).from(messages).where(eq(messages.id, messageId));
  const [before] = await find();
  if (!before) throw notFound();
  const membership =
    lock === 'lock'
      ? await lockConversation(tx as Tx, userId, before.conversationId)
      : await accessConversation(tx, userId, before.conversationId);
  if (before.seq <= membership.visibleFromSeq) throw notFound();
  const message = lock === 'lock' ? (await find())[0] : before;
  if (!message) throw notFound();
  return { membership, message };
}

/** FORBIDDEN is for those who see the thing but whose role may not. */
export function requireRole(membership: Membership, least: Role): void {
  if (membership.type === 'direct') throw new ParleyError('FORBIDDEN', 'direct_is_fixed');
  if (rankOf(membership.role) < rankOf(least)) throw new ParleyError('FORBIDDEN', 'role_too_low');
}

/** An archived conversation can be read, but nothing in it changes any more. */
export function requireActive(membership: Membership): void {
  if (!membership.isActive) throw new ParleyError('CONFLICT', 'conversation_archived');
}
