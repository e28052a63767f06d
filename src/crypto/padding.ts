/** Owns what lengths tell: plaintexts are padded to buckets, so that a ciphertext says little about how long a text is. */
import { copy, type Bytes } from './bytes.ts';
import { paddedLength, plaintextLength } from './chunks.ts';
import { CryptoError } from './error.ts';

const MARK = 0x80;

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
