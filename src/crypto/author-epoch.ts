/** Owns the making of an epoch: next record, its key, the signature, and a wrap for everyone who needs one. */
import { primitives } from '#crypto/primitives';
import { applyEpoch, type EpochState, wrapRecipients } from './apply-epoch.ts';
import { type Bytes, random } from './bytes.ts';
import { encodeEpoch, type EpochKind, type EpochOp, type EpochRecord, hashMembers, type Member } from './epoch.ts';
import { EPOCH_KEY_BYTES, keyCommitment, ratchetKey } from './epoch-key.ts';
import { CryptoError } from './error.ts';
import { importKemPublicKey, type KemPublicKey } from './hpke.ts';
import type { SigningKey } from './primitives.types.ts';
import { wrapKey } from './wrap.ts';

export interface EpochDraft {
  conversationId: string;
  kind: EpochKind;
  direct: boolean;
  anyoneAdds: boolean;
  createdMs: number;
  ops: EpochOp[];
}

export interface EpochAuthor {
  userId: string;
  gen: number;
  sigPub: Uint8Array;
  signer: SigningKey;
}

export interface AuthoredEpoch {
  record: Bytes;
  sig: Bytes;
  wraps: { userId: string; gen: number; wrapped: Bytes }[];
  key: Bytes;
  state: EpochState;
}

/**
 * `previousKey` is needed for a ratchet alone: a rotation can be made by someone who could not open the current key.
 * Throws BAD_EPOCH when the rules do not allow the draft, before anything is wrapped.
 */
export async function authorEpoch(
  draft: EpochDraft,
  author: EpochAuthor,
  context: {
    previous?: EpochState | undefined;
    previousKey?: Uint8Array | undefined;
    kemPub: (member: Member) => Promise<Uint8Array>;
  },
): Promise<AuthoredEpoch> {
  const { previous } = context;
  const epoch = previous ? previous.record.epoch + 1 : 0;
  const prevHash = previous?.hash ?? new Uint8Array(32);
  const at = { conversationId: draft.conversationId, epoch, prevHash };
  const key = draft.kind === 'ratchet' ? await ratchetKey(needed(context.previousKey), at) : random(EPOCH_KEY_BYTES);
  const content: EpochRecord = {
    ...draft,
    ...at,
    authorId: author.userId,
    authorGen: author.gen,
    membersHash: await hashMembers(membersAfter(previous, draft.ops)),
    keyCommit: await keyCommitment(key, at),
  };
  const record = encodeEpoch(content);
  const sig = await primitives.sign(author.signer, record);
  const state = await applyEpoch(previous, { record, sig }, async () => author.sigPub);
  const wraps: AuthoredEpoch['wraps'] = [];
  for (const member of wrapRecipients(state)) {
    const to = { ...at, recordHash: state.hash, userId: member.userId, gen: member.gen };
    const recipient: KemPublicKey = await importKemPublicKey(await context.kemPub(member));
    wraps.push({ userId: member.userId, gen: member.gen, wrapped: await wrapKey(recipient, to, key) });
  }
  return { record, sig, wraps, key, state };
}

function membersAfter(previous: EpochState | undefined, ops: readonly EpochOp[]): Iterable<Member> {
  const members = new Map(previous?.members);
  for (const op of ops) {
    if (op.op === 'remove') members.delete(op.userId);
    else members.set(op.member.userId, op.member);
  }
  return members.values();
}

function needed(previousKey: Uint8Array | undefined): Uint8Array {
  if (!previousKey) throw new CryptoError('BAD_KEY', 'a ratchet needs the key before');
  return previousKey;
}
