/** Owns what lengths tell: plaintexts are padded to buckets, so that a ciphertext says little about how long a text is. */
import { copy, type Bytes } from './bytes.ts';
import { plaintextLength } from './chunks.ts';
import { CryptoError } from './error.ts';

const MARK = 0x80;
const STEP = 64;
const STEPS_UP_TO = 1024;

/** Multiples of 64 up to 1 KiB, then Padmé: at most 12 % more, and only O(log log n) bits told. */
export function paddedLength(length: number): number {
  if (length <= STEPS_UP_TO) return Math.max(STEP, Math.ceil(length / STEP) * STEP);
  const exponent = Math.floor(Math.log2(length));
  const kept = Math.floor(Math.log2(exponent)) + 1;
  const bucket = 2 ** (exponent - kept);
  return Math.ceil(length / bucket) * bucket;
}

export function pad(plaintext: Uint8Array): Bytes {
  const padded = new Uint8Array(paddedLength(plaintext.length + 1));
  padded.set(plaintext);
  padded[plaintext.length] = MARK;
  return padded;
}

export function unpad(padded: Uint8Array): Bytes {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end--;
  if (end < 0 || padded[end] !== MARK) throw new CryptoError('BAD_FORMAT', 'padding');
  return copy(padded.subarray(0, end));
}

/** Whether the plaintext behind this ciphertext has the length of a bucket; tells padded from unpadded without any key. */
export const isPadded = (ciphertext: Uint8Array): boolean => isPaddedLength(ciphertext.length);

/** The same for a ciphertext of which only the length is known. */
export function isPaddedLength(ciphertextLength: number): boolean {
  const length = plaintextLength(ciphertextLength);
  return length !== undefined && paddedLength(length) === length;
}
