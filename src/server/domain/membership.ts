/** Carrying out an accepted epoch: rows of the people it names, the conversation's new key, and what everyone is told. */
import { and, eq, inArray, isNotNull, sql } from 'drizzle-orm';
import { type EpochOp, fromBase64 } from '#crypto/verify';
import { ParleyError } from '#protocol/errors';
import type { FeedEvent } from '#protocol/event';
import type { Grant } from '#protocol/keys';
import { ROLES } from '#protocol/participant';
import type { Tx } from '../db/client.ts';
import { conversationParticipants, conversations, historyGrants } from '../db/tables.ts';
import type { Membership } from './access.ts';
import { type Change, currentXid, takeVersions } from './change.ts';
import { type ParsedEpoch, storeEpoch, verifyEpoch } from './epochs.ts';
import { loadConversations } from './present.ts';
import { hiddenFrom } from './privacy.ts';

interface Intent {
  readonly grant: Grant | null;
  /** The one active person this record may put out; everybody else it removes must be gone already. */
  readonly removing: string | null;
}

export async function commitEpoch(
  { tx, emit, membership }: Change & { membership: Membership },
  parsed: ParsedEpoch,
  intent: Intent,
): Promise<void> {
  const { conversationId, lastSeq } = membership;
  const { ops, epoch, kind } = parsed.record;
  const state = await verifyEpoch(tx, parsed, membership);
  const gone = await checkRemovals(tx, parsed, intent);

  // Those who go are told first and hear no more; those who come are told the whole conversation first.
  const removals = ops.filter((op) => op.op === 'remove' && !gone.has(op.userId));
  const arrivals = ops.filter(({ op }) => op !== 'remove');
  const first = await takeVersions(tx, conversationId, removals.length + arrivals.length + 2);
  for (const [i, op] of [...removals, ...arrivals].entries()) {
    const version = first + (i < removals.length ? i : i + 2);
    await applyOp(tx, membership, op, { version, withHistory: intent.grant !== null });
  }
  const ownVersion = first + removals.length;
  await tx
    .update(conversations)
    .set({
      keyEpoch: epoch,
      epochHash: state.hash,
      ...(kind === 'rotate' ? { rekeyRequired: false } : {}),
      ownVersion,
      ownXid: currentXid,
    })
    .where(eq(conversations.id, conversationId));
  await storeEpoch(tx, parsed, { state, seq: lastSeq, version: ownVersion + 1 });
  if (intent.grant) await storeGrant(tx, membership, intent.grant, state.hash);

  const conversation = (await loadConversations(tx, [conversationId])).get(conversationId);
  if (!conversation) throw new TypeError('a locked conversation is missing');
  const person = (op: EpochOp, version: number): FeedEvent => {
    const userId = op.op === 'remove' ? op.userId : op.member.userId;
    const participant = conversation.participants.find(({ user }) => user.id === userId) ?? null;
    return { type: 'participant', conversationId, userId, participant, removed: participant === null, version };
  };
  for (const [i, op] of removals.entries()) emit(conversationId, first + i, person(op, first + i));
  emit(conversationId, ownVersion, { type: 'conversation', conversation });
  emit(conversationId, ownVersion + 1, { type: 'keys', conversationId, epoch, version: ownVersion + 1 });
  for (const [i, op] of arrivals.entries()) emit(conversationId, ownVersion + 2 + i, person(op, ownVersion + 2 + i));
}

/**
 * Nobody is put out under cover of a rotation, and a rotation leaves nobody in who is gone.
 * @returns those who had gone before: they were told then, and are only taken out of the keys now
 */
async function checkRemovals(tx: Tx, parsed: ParsedEpoch, { removing }: Intent): Promise<Set<string>> {
  const { conversationId, kind, ops } = parsed.record;
  const removed = new Set(ops.flatMap((op) => (op.op === 'remove' ? [op.userId] : [])));
  const gone = await tx
    .select({ userId: conversationParticipants.userId })
    .from(conversationParticipants)
    .where(
      and(
        eq(conversationParticipants.conversationId, conversationId),
        eq(conversationParticipants.inEpoch, true),
        isNotNull(conversationParticipants.leftAt),
      ),
    );
  if (kind === 'rotate' && gone.some(({ userId }) => !removed.has(userId)))
    throw new ParleyError('CONFLICT', 'rekey_required', { message: 'the rotation leaves somebody in who is gone' });
  const goneIds = new Set(gone.flatMap(({ userId }) => (removed.delete(userId) ? [userId] : [])));
  if (removing) removed.delete(removing);
  if (removed.size > 0) throw new ParleyError('FORBIDDEN', 'role_too_low');
  if (goneIds.size > 0)
    await tx
      .update(conversationParticipants)
      .set({ inEpoch: false })
      .where(
        and(
          eq(conversationParticipants.conversationId, conversationId),
          inArray(conversationParticipants.userId, [...goneIds]),
        ),
      );
  return goneIds;
}

async function applyOp(
  tx: Tx,
  { conversationId, lastSeq, visibleFromSeq }: Membership,
  op: EpochOp,
  { version, withHistory }: { version: number; withHistory: boolean },
): Promise<void> {
  const stamp = { version, ownXid: currentXid, changedXid: currentXid };
  const row = (userId: string) =>
    and(eq(conversationParticipants.conversationId, conversationId), eq(conversationParticipants.userId, userId));
  switch (op.op) {
    case 'remove':
      await tx
        .update(conversationParticipants)
        .set({ ...stamp, inEpoch: false, leftAt: sql`now()` })
        .where(row(op.userId));
      return;
    case 'role':
      await tx
        .update(conversationParticipants)
        .set({ ...stamp, role: ROLES[op.member.role] })
        .where(row(op.member.userId));
      return;
    case 'rekey':
      await tx
        .update(conversationParticipants)
        .set({ ...stamp, keyGen: op.member.gen, keyFingerprint: op.member.fingerprint })
        .where(row(op.member.userId));
      return;
    case 'add': {
      const values = {
        role: ROLES[op.member.role],
        keyGen: op.member.gen,
        keyFingerprint: op.member.fingerprint,
        joinedAt: sql`now()`,
        joinedSeq: lastSeq,
        // Nobody shows more than he sees himself.
        visibleFromSeq: withHistory ? visibleFromSeq : lastSeq,
        deliveredSeq: lastSeq,
        readSeq: lastSeq,
        readsHiddenAfter: hiddenFrom(op.member.userId, lastSeq),
        leftAt: null,
        inEpoch: true,
        ...stamp,
      };
      await tx
        .insert(conversationParticipants)
        .values({ conversationId, userId: op.member.userId, ...values })
        .onConflictDoUpdate({
          target: [conversationParticipants.conversationId, conversationParticipants.userId],
          set: values,
        });
    }
  }
}

async function storeGrant(tx: Tx, membership: Membership, grant: Grant, head: Uint8Array): Promise<void> {
  const [granted] = await tx
    .select({ gen: conversationParticipants.keyGen })
    .from(conversationParticipants)
    .where(
      and(
        eq(conversationParticipants.conversationId, membership.conversationId),
        inArray(conversationParticipants.userId, [grant.userId]),
      ),
    );
  if (granted?.gen !== grant.gen) throw new ParleyError('CONFLICT', 'identity_stale');
  await tx.insert(historyGrants).values({
    conversationId: membership.conversationId,
    fromUser: membership.userId,
    toUser: grant.userId,
    toGen: grant.gen,
    head,
    sealed: fromBase64(grant.sealed),
  });
}
