/**
 * Owns sealing and opening boxes: Cobblestone-256 of c2sp.org/chunked-encryption (HKDF-SHA-512 per box, AES-256-GCM
 * in chunks of 16 KiB, a 32-byte commitment to key and context). Everything this system encrypts symmetrically is one.
 */
import { primitives } from '#crypto/primitives';
import { type Bytes, bytesEqual, concat, random, utf8 } from './bytes.ts';
import {
  BOX_HEADER_BYTES,
  CHUNK_BYTES,
  COMMIT_BYTES,
  plaintextLength,
  SALT_BYTES,
  SEALED_CHUNK_BYTES,
} from './chunks.ts';
import { CryptoError } from './error.ts';
import type { AesKey, SealKey } from './primitives.types.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const COUNTER_BYTES = 5;
const PREFIX = utf8('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0');
const FIRST_BLOCK = new Uint8Array([1]);
const SECOND_BLOCK = new Uint8Array([2]);

/** What seals and opens the chunks of one box. */
export interface BoxKeys {
  key: AesKey;
  baseNonce: Bytes;
  commitment: Bytes;
}

export async function importSealKey(raw: Uint8Array): Promise<SealKey> {
  if (raw.length !== KEY_BYTES) throw new CryptoError('BAD_KEY');
  return primitives.importSealKey(raw);
}

/** A fresh key that can be used and stored, but not read. */
export async function generateSealKey(): Promise<SealKey> {
  return primitives.generateSealKey();
}

/** `context` is authenticated and not stored: whoever opens must name the same. */
export async function seal(key: SealKey, context: Uint8Array, plaintext: Uint8Array): Promise<Bytes> {
  return sealWithSalt(key, context, { plaintext, salt: random(SALT_BYTES) });
}

/** For frozen vectors only; a salt must never be used twice with one key and context. */
export async function sealWithSalt(
  key: SealKey,
  context: Uint8Array,
  { plaintext, salt }: { plaintext: Uint8Array; salt: Uint8Array },
): Promise<Bytes> {
  const keys = await deriveBoxKeys(key, salt, context);
  const parts: Uint8Array[] = [salt, keys.commitment];
  const chunks = Math.floor(plaintext.length / CHUNK_BYTES) + 1;
  for (let i = 0; i < chunks; i++) {
    const chunk = plaintext.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES);
    parts.push(await sealChunk(keys, i, chunk));
  }
  return concat(...parts);
}

/** Throws DECRYPT, whatever is wrong with the box, the key or the context. */
export async function open(key: SealKey, context: Uint8Array, box: Uint8Array): Promise<Bytes> {
  if (plaintextLength(box.length) === undefined) throw new CryptoError('DECRYPT');
  const keys = await deriveBoxKeys(key, box.subarray(0, SALT_BYTES), context);
  if (!bytesEqual(keys.commitment, box.subarray(SALT_BYTES, BOX_HEADER_BYTES))) throw new CryptoError('DECRYPT');
  const lastChunk = Math.floor((box.length - BOX_HEADER_BYTES) / SEALED_CHUNK_BYTES);
  const parts: Bytes[] = [];
  for (let i = 0; i <= lastChunk; i++) {
    const start = BOX_HEADER_BYTES + i * SEALED_CHUNK_BYTES;
    parts.push(await openChunk(keys, i, box.subarray(start, start + SEALED_CHUNK_BYTES)));
  }
  return concat(...parts);
}

export async function sealChunk(keys: BoxKeys, index: number, plaintext: Uint8Array): Promise<Bytes> {
  return primitives.aesGcmEncrypt(keys.key, nonceOf(keys.baseNonce, index), plaintext);
}

/** Throws DECRYPT for a chunk that is not this one of this box. */
export async function openChunk(keys: BoxKeys, index: number, sealed: Uint8Array): Promise<Bytes> {
  try {
    return await primitives.aesGcmDecrypt(keys.key, nonceOf(keys.baseNonce, index), sealed);
  } catch (cause) {
    throw new CryptoError('DECRYPT', undefined, { cause });
  }
}

// HKDF-Expand by hand, because the sealing key is the pseudo-random key itself and stays inside the implementation.
export async function deriveBoxKeys(key: SealKey, salt: Uint8Array, context: Uint8Array): Promise<BoxKeys> {
  const info = concat(PREFIX, salt, context);
  const first = await primitives.hmacSha512(key, concat(info, FIRST_BLOCK));
  const second = await primitives.hmacSha512(key, concat(first, info, SECOND_BLOCK));
  const material = concat(first, second);
  const nonceEnd = KEY_BYTES + NONCE_BYTES;
  return {
    key: await primitives.importAesKey(material.subarray(0, KEY_BYTES)),
    baseNonce: material.slice(KEY_BYTES, nonceEnd),
    commitment: material.slice(nonceEnd, nonceEnd + COMMIT_BYTES),
  };
}

/** The chunk's number, big endian, over the last five bytes of the base nonce. */
function nonceOf(base: Bytes, index: number): Bytes {
  const nonce = base.slice();
  for (let i = 0, rest = index; i < COUNTER_BYTES; i++, rest = Math.floor(rest / 256)) {
    const at = NONCE_BYTES - 1 - i;
    nonce[at] = (nonce[at] ?? 0) ^ (rest & 0xff);
  }
  return nonce;
}
