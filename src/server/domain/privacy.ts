/** What people show of themselves: how far they have read, whether they are there, that they type. Both ways, always. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { FeedEvent } from '#protocol/event';
import type { Participant } from '#protocol/participant';
import type { Privacy } from '#protocol/user';
import type { Db, Tx } from '../db/client.ts';
import { conversationParticipants, users } from '../db/tables.ts';
import type { Deps } from '../deps.ts';

export const privacyColumns = {
  receipts: users.sharesReceipts,
  presence: users.sharesPresence,
  typing: users.sharesTyping,
};

/** Of somebody with a subscription it is known; of anybody else it is asked for. */
export async function privacyOf(deps: Pick<Deps, 'audience' | 'db'>, userId: string): Promise<Privacy> {
  const known = deps.audience.privacyOf(userId);
  if (known) return known;
  const [row] = await deps.db.select(privacyColumns).from(users).where(eq(users.id, userId));
  return row ?? { receipts: true, presence: true, typing: true };
}

/** While somebody hides what he reads, others see his watermark where it was when he began to. */
export async function hideReading(tx: Tx, userId: string, isShared: boolean): Promise<void> {
  await tx
    .update(conversationParticipants)
    .set({ readsHiddenAfter: isShared ? null : sql`${conversationParticipants.readSeq}` })
    .where(and(eq(conversationParticipants.userId, userId), isNull(conversationParticipants.leftAt)));
}

/** For the row of somebody who enters a conversation: his choice holds there too, from `seq` on. */
export const hiddenFrom = (userId: string, seq: number) =>
  sql<
    number | null
  >`(select case when ${users.sharesReceipts} then null else ${seq}::bigint end from ${users} where ${users.id} = ${userId})`;

/** How far somebody has read, for one viewer: all of it for himself, nothing for who hides his own. */
export function readingFor(
  viewer: { userId: string; readSeq: number; readsHiddenAfter: number | null },
  participant: Participant,
): Participant {
  if (participant.user.id === viewer.userId) return { ...participant, readSeq: viewer.readSeq };
  return viewer.readsHiddenAfter === null ? participant : { ...participant, readSeq: 0 };
}

/** An event for somebody who hides what he reads: he is not told what others read. */
export function withoutReading(event: FeedEvent, viewerId: string): FeedEvent {
  const hide = (one: Participant) => (one.user.id === viewerId ? one : { ...one, readSeq: 0 });
  if (event.type === 'participant' && event.participant) return { ...event, participant: hide(event.participant) };
  if (event.type === 'conversation')
    return {
      ...event,
      conversation: { ...event.conversation, participants: event.conversation.participants.map(hide) },
    };
  return event;
}

/** Of these people, the ones whose presence the viewer may see: in some conversation with him, both sharing theirs. */
export async function presenceVisibleTo(db: Db, viewerId: string, userIds: readonly string[]): Promise<Set<string>> {
  if (userIds.length === 0) return new Set();
  const rows = await db.execute<{ user_id: string }>(sql`
    select distinct theirs.user_id from users me
    join conversation_participants mine on mine.user_id = me.id and mine.left_at is null
    join conversation_participants theirs on theirs.conversation_id = mine.conversation_id and theirs.left_at is null
    join users them on them.id = theirs.user_id and them.shares_presence
    where me.id = ${viewerId} and me.shares_presence and theirs.user_id in ${[...userIds]}`);
  const seen = new Set(rows.map((row) => row.user_id));
  return userIds.includes(viewerId) ? seen.add(viewerId) : seen;
}
