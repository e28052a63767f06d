/** The primitives on node:crypto, all synchronous. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomFillSync,
  sign,
  verify,
} from 'node:crypto';
import type { AesKey, Bytes, Primitives, SealKey, SigningKey, VerifyKey } from './primitives.types.ts';

const TAG = 16;
const NO_SALT = new Uint8Array(0);

const keyObject = (key: SealKey | AesKey | SigningKey | VerifyKey): KeyObject => key as unknown as KeyObject;
// Out of Buffer's shared pool and free of its aliasing `slice`.
const own = (buffer: Uint8Array): Bytes => new Uint8Array(buffer);
const url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
/** A call into the generator costs more than the bytes: small wants are served from a pool, each byte once. */
const pool = new Uint8Array(4_096);
let used = pool.length;
function random(length: number): Bytes {
  if (length > pool.length / 8) return randomFillSync(new Uint8Array(length));
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = pool.slice(used, used + length);
  pool.fill(0, used, used + length);
  used += length;
  return bytes;
}

export const primitives: Primitives = {
  name: 'node',
  random,
  sha256: (data) => own(createHash('sha256').update(data).digest()),
  newSha256() {
    const hash = createHash('sha256');
    return { update: (data) => void hash.update(data), digest: () => own(hash.digest()) };
  },
  hmacSha256: (key, data) => own(createHmac('sha256', key).update(data).digest()),
  hkdfSha256: (secret, info, length, salt = NO_SALT) => new Uint8Array(hkdfSync('sha256', secret, salt, info, length)),

  importSealKey: (raw) => createSecretKey(raw) as unknown as SealKey,
  generateSealKey: () => createSecretKey(random(32)) as unknown as SealKey,
  hmacSha512: (key, data) => own(createHmac('sha512', keyObject(key)).update(data).digest()),

  importAesKey: (raw) => createSecretKey(raw) as unknown as AesKey,
  aesGcmEncrypt(key, nonce, plaintext) {
    const cipher = createCipheriv('aes-256-gcm', keyObject(key), nonce);
    const body = cipher.update(plaintext);
    cipher.final();
    const out = new Uint8Array(body.length + TAG);
    out.set(body);
    out.set(cipher.getAuthTag(), body.length);
    return out;
  },
  aesGcmDecrypt(key, nonce, ciphertext) {
    const decipher = createDecipheriv('aes-256-gcm', keyObject(key), nonce, { authTagLength: TAG });
    decipher.setAuthTag(ciphertext.subarray(ciphertext.length - TAG));
    const body = decipher.update(ciphertext.subarray(0, ciphertext.length - TAG));
    decipher.final();
    return own(body);
  },

  generateSigningSeed() {
    const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    return { seed: own(Buffer.from(jwk.d ?? '', 'base64url')), publicKey: own(Buffer.from(jwk.x ?? '', 'base64url')) };
  },
  importSigningKey: (seed, publicKey) =>
    createPrivateKey({
      key: { kty: 'OKP', crv: 'Ed25519', d: url(seed), x: url(publicKey) },
      format: 'jwk',
    }) as unknown as SigningKey,
  sign: (key, data) => own(sign(null, data, keyObject(key))),
  importVerifyKey: (raw) =>
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: url(raw) }, format: 'jwk' }) as unknown as VerifyKey,
  verify: (key, signature, data) => verify(null, data, keyObject(key), signature),

  encodeBase64: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
  decodeBase64: (text) => own(Buffer.from(text, 'base64')),
};
