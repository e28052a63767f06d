/** Owns the making of an epoch: next record, its key, the signature, and a wrap for everyone who needs one. */
import { primitives } from '#crypto/primitives';
import { applyEpoch, type EpochState, wrapRecipients } from './apply-epoch.ts';
import { type Bytes, random } from './bytes.ts';
import { encodeEpoch, type EpochKind, type EpochOp, type EpochRecord, hashMembers, type Member } from './epoch.ts';
import { EPOCH_KEY_BYTES, keyCommitment, ratchetKey } from './epoch-key.ts';
import { CryptoError } from './error.ts';
import { importKemPublicKey } from './hpke.ts';
import type { SigningKey } from './primitives.types.ts';
import { wrapKey } from './wrap.ts';

/** Wraps made in one go: some 20 ms. */
const CHUNK = 25;

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
    /** Told after each part of a long work. */
    onProgress?: ((done: number, total: number) => void) | undefined;
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
  const wrapFor = async (member: Member) => {
    const { userId, gen } = member;
    const recipient = await importKemPublicKey(await context.kemPub(member));
    return { userId, gen, wrapped: await wrapKey(recipient, { ...at, recordHash: state.hash, userId, gen }, key) };
  };
  const recipients = wrapRecipients(state);
  const wraps: AuthoredEpoch['wraps'] = [];
  while (wraps.length < recipients.length) {
    wraps.push(...(await Promise.all(recipients.slice(wraps.length, wraps.length + CHUNK).map(wrapFor))));
    context.onProgress?.(wraps.length, recipients.length);
    // Other work of this thread - a message to open - comes in between.
    if (wraps.length < recipients.length) await new Promise((go) => setTimeout(go, 0));
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
