/** People as others see them: by id, by search, and one's own profile. E-mail addresses are shown to nobody else. */
import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { Me, SearchUsers, UpdateUser, User } from '#protocol/user';
import type { Tx } from '../db/client.ts';
import { conversationParticipants, conversations, users } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { findMe } from './accounts.ts';
import { type Change, change, currentXid } from './change.ts';
import { loadParticipants, userColumns } from './present.ts';
import { hideReading, privacyColumns } from './privacy.ts';

/** In the order asked for; who does not exist is left out. */
export async function usersByIds(deps: Deps, userIds: string[]): Promise<User[]> {
  const rows = await deps.db.select(userColumns).from(users).where(inArray(users.id, userIds));
  const found = new Map(rows.map((row) => [row.id, row]));
  return [...new Set(userIds)].flatMap((id) => found.get(id) ?? []);
}

/** The beginning of a name counts more than its middle. `%` and `_` mean themselves. */
export async function searchUsers(deps: Deps, { query, limit }: z.output<typeof SearchUsers>): Promise<User[]> {
  const escaped = query.replace(/[\\%_]/g, (sign) => `\\${sign}`);
  const starts = `${escaped}%`;
  const contains = `%${escaped}%`;
  return deps.db
    .select(userColumns)
    .from(users)
    .where(sql`${users.username} ilike ${contains} or ${users.displayName} ilike ${contains}`)
    .orderBy(
      sql`case when lower(${users.username}) = lower(${query}) then 0 when ${users.username} ilike ${starts} then 1
               when ${users.displayName} ilike ${starts} then 2 else 3 end`,
      asc(sql`lower(${users.username})`),
    )
    .limit(limit);
}

/**
 * A new name or picture is part of every conversation I am in, and so is how much of my reading is shown: everybody there
 * hears of it through the feed (P13).
 */
export async function updateUser(deps: Deps, userId: string, input: z.output<typeof UpdateUser>): Promise<Me> {
  const { displayName, avatarUrl, privacy } = input;
  const changes = {
    ...(displayName === undefined ? {} : { displayName }),
    ...(avatarUrl === undefined ? {} : { avatarUrl }),
    ...(privacy?.receipts === undefined ? {} : { sharesReceipts: privacy.receipts }),
    ...(privacy?.presence === undefined ? {} : { sharesPresence: privacy.presence }),
    ...(privacy?.typing === undefined ? {} : { sharesTyping: privacy.typing }),
  };
  if (Object.keys(changes).length === 0) return findMe(deps, userId);
  const me = await change(deps, async (step) => {
    const [before] = await step.tx.select(privacyColumns).from(users).where(eq(users.id, userId)).for('update');
    await step.tx.update(users).set(changes).where(eq(users.id, userId));
    const receipts = privacy?.receipts ?? before?.receipts;
    // Conversations first, like everybody who locks them and their participants.
    const ids = await lockConversations(step.tx, userId);
    if (receipts !== undefined && receipts !== before?.receipts) await hideReading(step.tx, userId, receipts);
    await stampMemberships(step, userId, ids);
    return findMe({ db: step.tx }, userId);
  });
  if (privacy) deps.bus.publish({ kind: 'privacy', userId, privacy: me.privacy });
  return me;
}

const membershipsOf = (userId: string) =>
  and(eq(conversationParticipants.userId, userId), isNull(conversationParticipants.leftAt));

async function lockConversations(tx: Tx, userId: string): Promise<string[]> {
  const rows = await tx
    .select({ id: conversations.id })
    .from(conversations)
    .innerJoin(conversationParticipants, eq(conversationParticipants.conversationId, conversations.id))
    .where(and(membershipsOf(userId), eq(conversations.isActive, true)))
    // In sorted order, like everybody who locks several: otherwise two of them could wait for each other.
    .orderBy(asc(conversations.id))
    .for('update', { of: conversations });
  return rows.map(({ id }) => id);
}

async function stampMemberships({ tx, emit }: Change, userId: string, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .update(conversations)
    .set({ version: sql`${conversations.version} + 1`, changedXid: currentXid })
    .where(inArray(conversations.id, ids));
  await tx
    .update(conversationParticipants)
    .set({ version: conversations.version, ownXid: currentXid, changedXid: currentXid })
    .from(conversations)
    .where(
      and(
        membershipsOf(userId),
        eq(conversations.id, conversationParticipants.conversationId),
        inArray(conversations.id, ids),
      ),
    );
  for (const { conversationId, version, participant } of await loadParticipants(tx, ids)) {
    if (participant.user.id !== userId) continue;
    emit(conversationId, version, {
      type: 'participant',
      conversationId,
      userId,
      participant,
      removed: false,
      version,
    });
  }
}
