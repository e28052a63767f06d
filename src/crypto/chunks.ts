/**
 * Owns the geometry of c2sp.org/chunked-encryption boxes (salt, commitment, then sealed chunks, the last one never full) and the
 * buckets that everything is padded to before.
 */

export const SALT_BYTES = 24;
export const COMMIT_BYTES = 32;
export const BOX_HEADER_BYTES = SALT_BYTES + COMMIT_BYTES;
export const CHUNK_BYTES = 16_384;
export const TAG_BYTES = 16;
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
const STEP = 64;
const STEPS_UP_TO = 1024;
export const MIN_BOX_BYTES = BOX_HEADER_BYTES + TAG_BYTES;

/** The length of what is inside a box of that length, or undefined when no box has it. */
export function plaintextLength(boxLength: number): number | undefined {
  if (boxLength < MIN_BOX_BYTES) return undefined;
  const body = boxLength - BOX_HEADER_BYTES;
  const fullChunks = Math.floor(body / SEALED_CHUNK_BYTES);
  const last = body - fullChunks * SEALED_CHUNK_BYTES;
  return last < TAG_BYTES ? undefined : fullChunks * CHUNK_BYTES + last - TAG_BYTES;
}

/** The length of the box around this many bytes. */
export const sealedLength = (length: number): number =>
  BOX_HEADER_BYTES + length + (Math.floor(length / CHUNK_BYTES) + 1) * TAG_BYTES;

/** Multiples of 64 up to 1 KiB, then Padmé: at most 12 % more, and only O(log log n) bits told. */
export function paddedLength(length: number): number {
  if (length <= STEPS_UP_TO) return Math.max(STEP, Math.ceil(length / STEP) * STEP);
  const exponent = Math.floor(Math.log2(length));
  const kept = Math.floor(Math.log2(exponent)) + 1;
  const bucket = 2 ** (exponent - kept);
  return Math.ceil(length / bucket) * bucket;
}
