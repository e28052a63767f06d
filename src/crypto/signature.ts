/** Owns the checking of Ed25519 signatures under raw public keys, with the imported keys of recent signers at hand. */
import { primitives } from '#crypto/primitives';
import { toHex } from './bytes.ts';
import type { VerifyKey } from './primitives.types.ts';

export const SIGNATURE_BYTES = 64;
/** Imported keys kept; two full groups of 1,000 people. Importing costs about as much as half a verification. */
const CACHE_LIMIT = 2_000;
const cache = new Map<string, VerifyKey>();

/** Anything that is not a valid signature is `false`, malformed keys and lengths included. */
export async function verifySignature(
  publicKey: Uint8Array,
  signature: Uint8Array,
  data: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== SIGNATURE_BYTES) return false;
  try {
    return await primitives.verify(await verifyKey(publicKey), signature, data);
  } catch {
    return false;
  }
}

async function verifyKey(publicKey: Uint8Array): Promise<VerifyKey> {
  const name = toHex(publicKey);
  const known = cache.get(name);
  if (known) return known;
  const key = await primitives.importVerifyKey(publicKey);
  // A Map iterates in insertion order: the first key is the oldest.
  const oldest = cache.size >= CACHE_LIMIT ? cache.keys().next() : undefined;
  if (oldest && !oldest.done) cache.delete(oldest.value);
  cache.set(name, key);
  return key;
}
