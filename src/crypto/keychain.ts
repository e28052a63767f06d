/** Owns the keychain: all epoch keys that I hold of a conversation in one box, under a key that comes from my own KEM seed. */
import { primitives } from '#crypto/primitives';
import { type Bytes, concat, utf8 } from './bytes.ts';
import { importSealKey, open, seal } from './cobblestone.ts';
import { CryptoError } from './error.ts';
import { type KemPrivateKey, kemSeedOf } from './hpke.ts';
import type { SealKey } from './primitives.types.ts';
import { label, Reader, Writer } from './wire.ts';
import { type EpochKey, readEpochKeys, writeEpochKeys } from './wrap.ts';

export interface KeychainPlace {
  userId: string;
  conversationId: string;
}

/** `gen` says which of my keys opens it. Not the master key: a changed password, or a lost one, leaves it as it is. */
export async function sealKeychain(
  mine: { gen: number; key: KemPrivateKey },
  place: KeychainPlace,
  keys: readonly EpochKey[],
): Promise<Bytes> {
  const gen = new Writer().u32(mine.gen).end();
  const plain = writeEpochKeys(new Writer(), keys).end();
  return concat(gen, await seal(await keychainKey(mine.key), context(place, mine.gen), plain));
}

/** Throws BAD_KEY for a generation that is not among mine, DECRYPT or BAD_FORMAT. Every key has to be checked against its commitment. */
export async function openKeychain(
  kem: ReadonlyMap<number, KemPrivateKey>,
  place: KeychainPlace,
  sealed: Uint8Array,
): Promise<EpochKey[]> {
  if (sealed.length < GEN_BYTES) throw new CryptoError('BAD_FORMAT', 'keychain');
  const gen = new Reader(sealed.subarray(0, GEN_BYTES)).u32();
  const key = kem.get(gen);
  if (!key) throw new CryptoError('BAD_KEY', 'keychain');
  const plain = await open(await keychainKey(key), context(place, gen), sealed.subarray(GEN_BYTES));
  return readEpochKeys(plain);
}

const GEN_BYTES = 4;

async function keychainKey(key: KemPrivateKey): Promise<SealKey> {
  return importSealKey(await primitives.hkdfSha256(await kemSeedOf(key), utf8(label('keychain')), 32));
}

const context = ({ userId, conversationId }: KeychainPlace, gen: number): Bytes =>
  new Writer().label('keychain').id(userId).id(conversationId).u32(gen).end();
