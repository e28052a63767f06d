/** Reading keys: public identities, the signed epoch chain, and the caller's own wraps and grants. */
import { and, asc, eq, gt, gte, inArray, lte } from 'drizzle-orm';
import { toBase64 } from '#crypto/verify';
import type { EpochOfConversation, IdentityOfUser, OwnGrant, OwnWrap } from '#protocol/keys';
import type { Db } from '../db/client.ts';
import { conversationEpochs, epochKeyWraps, historyGrants, userIdentities, users } from '../db/tables.ts';
import { accessConversation } from './access.ts';

/** Drivers hand out Buffers that may share memory; the encoder takes plain bytes. */
const base64 = (bytes: Uint8Array) => toBase64(Uint8Array.from(bytes));

/** Whole chains, oldest first; people who do not exist are left out, and those whose newest generation is `known`. */
export async function identitiesOf(
  db: Db,
  asked: string[],
  known: Readonly<Record<string, number>> = {},
): Promise<IdentityOfUser[]> {
  const candidates = asked.filter((userId) => known[userId] !== undefined);
  const gens =
    candidates.length > 0
      ? await db.select({ id: users.id, gen: users.identityGen }).from(users).where(inArray(users.id, candidates))
      : [];
  const same = new Set(gens.filter(({ id, gen }) => known[id] === gen).map(({ id }) => id));
  const userIds = asked.filter((userId) => !same.has(userId));
  if (userIds.length === 0) return [];
  const rows = await db
    .select()
    .from(userIdentities)
    .where(inArray(userIdentities.userId, userIds))
    .orderBy(asc(userIdentities.userId), asc(userIdentities.gen));
  return rows.map(({ userId, gen, record, selfSig, prevSig }) => ({
    userId,
    gen,
    record: base64(record),
    selfSig: base64(selfSig),
    prevSig: prevSig ? base64(prevSig) : null,
  }));
}

/** The whole chain from after the given epoch: also a newcomer verifies it from the beginning. */
export async function epochsOf(
  db: Db,
  userId: string,
  { conversationId, after }: { conversationId: string; after?: number | null | undefined },
): Promise<EpochOfConversation[]> {
  await accessConversation(db, userId, conversationId);
  const rows = await db
    .select({
      epoch: conversationEpochs.epoch,
      record: conversationEpochs.record,
      sig: conversationEpochs.sig,
      seq: conversationEpochs.seq,
    })
    .from(conversationEpochs)
    .where(and(eq(conversationEpochs.conversationId, conversationId), gt(conversationEpochs.epoch, after ?? -1)))
    .orderBy(asc(conversationEpochs.epoch));
  return rows.map((row) => ({ ...row, record: base64(row.record), sig: base64(row.sig) }));
}

export async function wrapsOf(
  db: Db,
  userId: string,
  {
    conversationId,
    from,
    to,
  }: { conversationId: string; from?: number | null | undefined; to?: number | null | undefined },
): Promise<OwnWrap[]> {
  await accessConversation(db, userId, conversationId);
  const rows = await db
    .select({ epoch: epochKeyWraps.epoch, gen: epochKeyWraps.userGen, wrapped: epochKeyWraps.wrapped })
    .from(epochKeyWraps)
    .where(
      and(
        eq(epochKeyWraps.conversationId, conversationId),
        eq(epochKeyWraps.userId, userId),
        gte(epochKeyWraps.epoch, from ?? 0),
        to === undefined || to === null ? undefined : lte(epochKeyWraps.epoch, to),
      ),
    )
    .orderBy(asc(epochKeyWraps.epoch));
  return rows.map((row) => ({ ...row, wrapped: base64(row.wrapped) }));
}

export async function grantsOf(db: Db, userId: string, conversationId: string): Promise<OwnGrant[]> {
  await accessConversation(db, userId, conversationId);
  const rows = await db
    .select({
      fromUserId: historyGrants.fromUser,
      gen: historyGrants.toGen,
      head: historyGrants.head,
      sealed: historyGrants.sealed,
    })
    .from(historyGrants)
    .where(and(eq(historyGrants.conversationId, conversationId), eq(historyGrants.toUser, userId)))
    .orderBy(asc(historyGrants.createdAt));
  return rows.map((row) => ({ ...row, head: base64(row.head), sealed: base64(row.sealed) }));
}
