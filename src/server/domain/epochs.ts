/** Accepting an epoch: the signed change of members or keys, checked against the chain and stored with its wraps. */
import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import { ROLES } from '#protocol/participant';
import {
  applyEpoch,
  bytesEqual,
  CryptoError,
  decodeEpoch,
  decodeIdentity,
  type EpochRecord,
  type EpochState,
  fromBase64,
  type Member,
  type MemberRole,
  wrapRecipients,
} from '#crypto/verify';
import { ParleyError } from '#protocol/errors';
import type { Epoch } from '#protocol/keys';
import type { Tx } from '../db/client.ts';
import { conversationEpochs, conversationParticipants, epochKeyWraps, userIdentities, users } from '../db/tables.ts';
import type { Membership } from './access.ts';

const bad = (message: string, cause?: unknown) => new ParleyError('BAD_REQUEST', 'bad_format', { message, cause });

export interface ParsedEpoch {
  readonly record: EpochRecord;
  readonly bytes: Uint8Array;
  readonly sig: Uint8Array;
  readonly wraps: Epoch['wraps'];
}

/** BAD_REQUEST `bad_format` unless these are the bytes of an epoch record of this conversation by this author. */
export function parseEpoch(epoch: Epoch, conversationId: string, authorId: string): ParsedEpoch {
  try {
    const bytes = fromBase64(epoch.record);
    const record = decodeEpoch(bytes);
    if (record.conversationId !== conversationId) throw bad('the epoch is of another conversation');
    if (record.authorId !== authorId) throw bad('the epoch has another author');
    return { record, bytes, sig: fromBase64(epoch.sig), wraps: epoch.wraps };
  } catch (error) {
    throw refusal(error);
  }
}

/** The same, spoken of later: repeats and roles are judged before the record's form (protocol rule S3). */
export function examineEpoch(epoch: Epoch, conversationId: string, authorId: string) {
  try {
    const parsed = parseEpoch(epoch, conversationId, authorId);
    return { parsed, require: () => parsed };
  } catch (problem) {
    const require = (): ParsedEpoch => {
      throw problem;
    };
    return { parsed: undefined, require };
  }
}

/** True when exactly this record was accepted before: a retry. */
export async function isRepeat(tx: Tx, { record, bytes }: ParsedEpoch): Promise<boolean> {
  const [row] = await tx
    .select({ record: conversationEpochs.record })
    .from(conversationEpochs)
    .where(
      and(eq(conversationEpochs.conversationId, record.conversationId), eq(conversationEpochs.epoch, record.epoch)),
    );
  return row !== undefined && bytesEqual(row.record, bytes);
}

/** The state before: the last record and the signed member list, people who left but were not rotated out included. */
async function stateOf(tx: Tx, membership: Membership): Promise<EpochState> {
  const { conversationId, keyEpoch } = membership;
  const [last] = await tx
    .select({ record: conversationEpochs.record, hash: conversationEpochs.hash })
    .from(conversationEpochs)
    .where(and(eq(conversationEpochs.conversationId, conversationId), eq(conversationEpochs.epoch, keyEpoch)));
  if (!last) throw new TypeError(`epoch ${keyEpoch} of a conversation is missing`);
  const rows = await tx
    .select({
      userId: conversationParticipants.userId,
      role: conversationParticipants.role,
      gen: conversationParticipants.keyGen,
      fingerprint: conversationParticipants.keyFingerprint,
    })
    .from(conversationParticipants)
    .where(and(eq(conversationParticipants.conversationId, conversationId), eq(conversationParticipants.inEpoch, true)))
    .orderBy(asc(conversationParticipants.userId));
  const members = rows.map((row) => [
    row.userId,
    { ...row, role: ROLES.indexOf(row.role) as MemberRole, fingerprint: Uint8Array.from(row.fingerprint) },
  ]) as [string, Member][];
  return { record: decodeEpoch(last.record), hash: Uint8Array.from(last.hash), members: new Map(members) };
}

/**
 * Everything that is true of any epoch: it continues the chain, its author signed it with his current key, every member
 * it names has the keys it says, and the wraps are exactly for those who need one. `membership` is null at creation.
 */
export async function verifyEpoch(tx: Tx, parsed: ParsedEpoch, membership: Membership | null): Promise<EpochState> {
  const { record } = parsed;
  if (membership) {
    if (membership.rekeyRequired && record.kind !== 'rotate') throw new ParleyError('CONFLICT', 'rekey_required');
    const next = record.epoch === membership.keyEpoch + 1 && bytesEqual(record.prevHash, membership.epochHash);
    if (!next) throw new ParleyError('CONFLICT', 'epoch_conflict');
  }
  const previous = membership ? await stateOf(tx, membership) : undefined;
  const state = await apply(tx, parsed, previous);
  await requireCurrentIdentities(tx, state, previous);
  requireExactWraps(parsed, state);
  return state;
}

async function apply(tx: Tx, parsed: ParsedEpoch, previous: EpochState | undefined): Promise<EpochState> {
  try {
    return await applyEpoch(previous, { record: parsed.bytes, sig: parsed.sig }, async (userId, gen, fingerprint) => {
      const [identity] = await tx
        .select({ record: userIdentities.record, fingerprint: userIdentities.fingerprint })
        .from(userIdentities)
        .where(and(eq(userIdentities.userId, userId), eq(userIdentities.gen, gen)));
      if (!identity || !bytesEqual(identity.fingerprint, fingerprint))
        throw new ParleyError('CONFLICT', 'identity_stale');
      return decodeIdentity(identity.record).sigPub;
    });
  } catch (error) {
    throw refusal(error);
  }
}

/** A rotation vouches for everybody's keys, any other record only for the people it names. */
async function requireCurrentIdentities(tx: Tx, state: EpochState, previous: EpochState | undefined): Promise<void> {
  const named = state.record.ops.flatMap((op) => (op.op === 'remove' ? [] : [op.member]));
  const members = previous && state.record.kind !== 'rotate' ? named : [...state.members.values()];
  if (members.length === 0) return;
  const ids = members.map(({ userId }) => userId);
  const rows = await tx
    .select({ userId: users.id, gen: users.identityGen, fingerprint: userIdentities.fingerprint })
    .from(users)
    .innerJoin(userIdentities, and(eq(userIdentities.userId, users.id), eq(userIdentities.gen, users.identityGen)))
    .where(inArray(users.id, ids));
  const current = new Map(rows.map((row) => [row.userId, row]));
  for (const { userId, gen, fingerprint } of members) {
    const row = current.get(userId);
    if (!row) throw new ParleyError('NOT_FOUND', 'not_found');
    if (row.gen !== gen || !bytesEqual(row.fingerprint, fingerprint))
      throw new ParleyError('CONFLICT', 'identity_stale');
  }
}

function requireExactWraps(parsed: ParsedEpoch, state: EpochState): void {
  const needed = new Map(wrapRecipients(state).map((member) => [member.userId, member.gen]));
  const exact =
    parsed.wraps.length === needed.size && parsed.wraps.every(({ userId, gen }) => needed.get(userId) === gen);
  if (!exact || new Set(parsed.wraps.map(({ userId }) => userId)).size !== needed.size)
    throw bad('the wraps are not exactly for those who need one');
}

/** Stores record and wraps. The caller has the conversation's row locked and stamps `version`. */
export async function storeEpoch(
  tx: Tx,
  parsed: ParsedEpoch,
  { state, seq, version }: { state: EpochState; seq: number; version: number },
): Promise<void> {
  const { conversationId, epoch, authorId } = parsed.record;
  await tx.insert(conversationEpochs).values({
    conversationId,
    epoch,
    record: parsed.bytes,
    sig: parsed.sig,
    hash: state.hash,
    authorId,
    seq,
    version,
    changedXid: sql`pg_current_xact_id()`,
  });
  const wraps = parsed.wraps.map(({ userId, gen, wrapped }) => ({
    conversationId,
    epoch,
    userId,
    userGen: gen,
    wrapped: fromBase64(wrapped),
  }));
  if (wraps.length > 0) await tx.insert(epochKeyWraps).values(wraps);
}

function refusal(error: unknown): unknown {
  if (!(error instanceof CryptoError)) return error;
  if (error.code === 'BAD_SIGNATURE') return new ParleyError('BAD_REQUEST', 'bad_signature', { cause: error });
  return bad('the epoch record is not acceptable', error);
}
