/** Owns the way of epoch keys to people: the wrap each recipient of an epoch gets, and the grant of older keys. */
import type { Bytes } from './bytes.ts';
import { EPOCH_KEY_BYTES, type EpochPlace } from './epoch-key.ts';
import { CryptoError } from './error.ts';
import { hpkeOpen, hpkeSeal, type KemPrivateKey, type KemPublicKey } from './hpke.ts';
import { Reader, Writer } from './wire.ts';

/** A conversation of that many rotations is decades old. */
const MAX_KEYS = 10_000;

export interface WrapPlace extends EpochPlace {
  /** Hash of the epoch record that brings the key. */
  recordHash: Uint8Array;
  userId: string;
  gen: number;
}

export interface GrantPlace {
  conversationId: string;
  /** Hash of the newest record the giver knew. */
  head: Uint8Array;
  fromUserId: string;
  userId: string;
  gen: number;
}

export interface EpochKey {
  epoch: number;
  key: Bytes;
}

export async function wrapKey(recipient: KemPublicKey, to: WrapPlace, key: Uint8Array): Promise<Bytes> {
  return hpkeSeal(recipient, wrapInfo(to), key);
}

/** Throws UNWRAP. The key still has to be checked against the commitment of its record. */
export async function unwrapKey(recipient: KemPrivateKey, to: WrapPlace, wrapped: Uint8Array): Promise<Bytes> {
  const key = await hpkeOpen(recipient, wrapInfo(to), wrapped);
  if (key.length !== EPOCH_KEY_BYTES) throw new CryptoError('UNWRAP');
  return key;
}

export async function sealGrant(recipient: KemPublicKey, to: GrantPlace, keys: readonly EpochKey[]): Promise<Bytes> {
  return hpkeSeal(recipient, grantInfo(to), writeEpochKeys(new Writer(), keys).end());
}

/** Throws UNWRAP or BAD_FORMAT. Every key still has to be checked against the commitment of its record. */
export async function openGrant(recipient: KemPrivateKey, to: GrantPlace, sealed: Uint8Array): Promise<EpochKey[]> {
  return readEpochKeys(await hpkeOpen(recipient, grantInfo(to), sealed));
}

export function writeEpochKeys(writer: Writer, keys: readonly EpochKey[]): Writer {
  writer.u32(keys.length);
  for (const { epoch, key } of keys) writer.u32(epoch).fixed(key, EPOCH_KEY_BYTES);
  return writer;
}

/** Throws BAD_FORMAT. */
export function readEpochKeys(plain: Uint8Array): EpochKey[] {
  const reader = new Reader(plain);
  const count = reader.u32();
  if (count > MAX_KEYS) throw new CryptoError('BAD_FORMAT', 'epoch keys');
  const keys = Array.from({ length: count }, () => ({ epoch: reader.u32(), key: reader.fixed(EPOCH_KEY_BYTES) }));
  reader.end();
  return keys;
}

function wrapInfo(to: WrapPlace): Bytes {
  const writer = new Writer().label('wrap').id(to.conversationId).u32(to.epoch).fixed(to.recordHash, 32);
  return writer.id(to.userId).u32(to.gen).end();
}

function grantInfo(to: GrantPlace): Bytes {
  const writer = new Writer().label('grant').id(to.conversationId).fixed(to.head, 32);
  return writer.id(to.fromUserId).id(to.userId).u32(to.gen).end();
}
