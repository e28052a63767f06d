/**
 * The interface to everything that is real cryptography: hashes, HMAC, HKDF, AES-GCM, Ed25519, randomness.
 * Two implementations: `primitives.node.ts` (node:crypto, synchronous: WebCrypto's thread pool costs more per call than
 * the work itself) and `primitives.web.ts` (WebCrypto). package.json "imports" chooses; callers always `await`.
 */

/** What the core returns. Inputs are taken as any `Uint8Array`, Buffers included. */
export type Bytes = Uint8Array<ArrayBuffer>;
export type MaybePromise<T> = T | Promise<T>;

// Keys are opaque to everything but the implementation that made them.
declare const kind: unique symbol;
/** The pseudo-random key of a chunked-encryption box (HMAC-SHA-512). On the web non-extractable, and storable in IndexedDB. */
export interface SealKey {
  readonly [kind]: 'seal';
}
export interface AesKey {
  readonly [kind]: 'aes';
}
export interface SigningKey {
  readonly [kind]: 'sign';
}
export interface VerifyKey {
  readonly [kind]: 'verify';
}

export interface RunningHash {
  update(data: Uint8Array): void;
  /** Once, at the end. */
  digest(): Bytes;
}

export interface Primitives {
  readonly name: 'node' | 'web';
  random(length: number): Bytes;
  sha256(data: Uint8Array): MaybePromise<Bytes>;
  /** Of what comes in pieces, too much to be held at once. */
  newSha256(): MaybePromise<RunningHash>;
  hmacSha256(key: Uint8Array, data: Uint8Array): MaybePromise<Bytes>;
  hkdfSha256(secret: Uint8Array, info: Uint8Array, length: number, salt?: Uint8Array): MaybePromise<Bytes>;

  importSealKey(raw: Uint8Array): MaybePromise<SealKey>;
  /** A fresh key that cannot be read back, only used. */
  generateSealKey(): MaybePromise<SealKey>;
  hmacSha512(key: SealKey, data: Uint8Array): MaybePromise<Bytes>;

  importAesKey(raw: Uint8Array): MaybePromise<AesKey>;
  aesGcmEncrypt(key: AesKey, nonce: Uint8Array, plaintext: Uint8Array): MaybePromise<Bytes>;
  /** Throws anything at all when the tag does not fit; the caller gives the failure its name. */
  aesGcmDecrypt(key: AesKey, nonce: Uint8Array, ciphertext: Uint8Array): MaybePromise<Bytes>;

  generateSigningSeed(): MaybePromise<{ seed: Bytes; publicKey: Bytes }>;
  /** `publicKey` must be the one kept beside the seed under our own seal, never one a server gave (double-public-key attack). */
  importSigningKey(seed: Uint8Array, publicKey: Uint8Array): MaybePromise<SigningKey>;
  sign(key: SigningKey, data: Uint8Array): MaybePromise<Bytes>;
  importVerifyKey(raw: Uint8Array): MaybePromise<VerifyKey>;
  verify(key: VerifyKey, signature: Uint8Array, data: Uint8Array): MaybePromise<boolean>;

  encodeBase64(bytes: Uint8Array): string;
  /** Of text that is already known to be canonical base64. */
  decodeBase64(text: string): Bytes;
}
