/** Owns what is derived from the 32-byte key of an epoch: its commitment, the next key of a ratchet, the keys in use. */
import { primitives } from '#crypto/primitives';
import { type Bytes, bytesEqual, utf8 } from './bytes.ts';
import { importSealKey } from './cobblestone.ts';
import type { EpochRecord } from './epoch.ts';
import { CryptoError } from './error.ts';
import type { SealKey } from './primitives.types.ts';
import { label, Writer } from './wire.ts';

export const EPOCH_KEY_BYTES = 32;

/** Where a key belongs: a key of one epoch of one conversation is nothing anywhere else. */
export type EpochPlace = Pick<EpochRecord, 'conversationId' | 'epoch'>;

const place = (purpose: string, { conversationId, epoch }: EpochPlace): Bytes =>
  new Writer().label(purpose).id(conversationId).u32(epoch).end();

/** Published in the signed record, so that nobody can give two members two keys. */
export async function keyCommitment(key: Uint8Array, at: EpochPlace): Promise<Bytes> {
  return primitives.hkdfSha256(key, place('commit', at), 32);
}

/** Throws KEY_COMMIT. */
export async function checkCommitment(key: Uint8Array, record: EpochRecord): Promise<void> {
  if (!bytesEqual(await keyCommitment(key, record), record.keyCommit)) throw new CryptoError('KEY_COMMIT');
}

/** One way: who holds the key of an epoch can go on to the ratcheted one, and nobody can go back. */
export async function ratchetKey(previousKey: Uint8Array, next: EpochPlace & { prevHash: Uint8Array }): Promise<Bytes> {
  return primitives.hkdfSha256(previousKey, place('ratchet', next), EPOCH_KEY_BYTES, next.prevHash);
}

/** Seals the messages of the epoch. Derive once and keep: it is the cost of a message otherwise. */
export async function messageKey(epochKey: Uint8Array): Promise<SealKey> {
  return importSealKey(await primitives.hkdfSha256(epochKey, utf8(label('k-msg')), 32));
}

/** Makes the tags of reactions to messages of the epoch. */
export async function reactionKey(epochKey: Uint8Array): Promise<Bytes> {
  return primitives.hkdfSha256(epochKey, utf8(label('k-react')), 32);
}

/** Same emoji, same message, same tag: the server can count what it cannot read. */
export async function reactionTag(
  key: Uint8Array,
  { conversationId, targetId }: { conversationId: string; targetId: string },
  emoji: string,
): Promise<Bytes> {
  const input = new Writer().label('react').id(conversationId).id(targetId).text(emoji.normalize('NFC')).end();
  return primitives.hmacSha256(key, input);
}
