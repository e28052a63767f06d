/** The primitives on WebCrypto, for browsers and their workers. */
import { sha256 } from '@hpke/common';
import type { AesKey, Bytes, Primitives, SealKey, SigningKey, VerifyKey } from './primitives.types.ts';

const ED25519 = 'Ed25519';
const HMAC_512 = { name: 'HMAC', hash: 'SHA-512' };
const NO_SALT = new Uint8Array(0);
/** WebKit's generateKey fails for keys whose parts start with a zero byte, under 1 % of draws: nine in a row is not chance. */
const GENERATE_ATTEMPTS = 9;
/** Arguments of one String.fromCharCode call; engines bound the argument list. */
const CHUNK = 8192;

const subtle = (): SubtleCrypto => globalThis.crypto.subtle;
// WebCrypto's types refuse views over SharedArrayBuffer, which nothing here makes.
const view = (bytes: Uint8Array): Bytes => bytes as Bytes;
const cryptoKey = (key: SealKey | AesKey | SigningKey | VerifyKey): CryptoKey => key as unknown as CryptoKey;
const bytes = async (result: Promise<ArrayBuffer>): Promise<Bytes> => new Uint8Array(await result);

type Base64Class = { fromBase64?: (text: string) => Bytes };
type Base64Instance = { toBase64?: () => string };

function encodeBase64(input: Uint8Array): string {
  const native = (input as Base64Instance).toBase64;
  if (native) return native.call(input);
  let text = '';
  for (let i = 0; i < input.length; i += CHUNK) text += String.fromCharCode(...input.subarray(i, i + CHUNK));
  return btoa(text);
}

function decodeBase64(text: string): Bytes {
  const native = (Uint8Array as Base64Class).fromBase64;
  if (native) return native.call(Uint8Array, text);
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

const url = (input: Uint8Array): string =>
  encodeBase64(input).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const fromUrl = (text: string): Bytes =>
  decodeBase64(
    text
      .replaceAll('-', '+')
      .replaceAll('_', '/')
      .padEnd(Math.ceil(text.length / 4) * 4, '='),
  );

async function generateSigningSeed(): Promise<{ seed: Bytes; publicKey: Bytes }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const pair = (await subtle().generateKey(ED25519, true, ['sign', 'verify'])) as CryptoKeyPair;
      const jwk = await subtle().exportKey('jwk', pair.privateKey);
      return { seed: fromUrl(jwk.d ?? ''), publicKey: fromUrl(jwk.x ?? '') };
    } catch (error) {
      if (attempt >= GENERATE_ATTEMPTS) throw error;
    }
  }
}

export const primitives: Primitives = {
  name: 'web',
  random: (length) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
  sha256: (data) => bytes(subtle().digest('SHA-256', view(data))),
  async newSha256() {
    const hash = sha256.create();
    return { update: (data) => void hash.update(data), digest: () => new Uint8Array(hash.digest()) };
  },
  async hmacSha256(key, data) {
    const hmac = await subtle().importKey('raw', view(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    return bytes(subtle().sign('HMAC', hmac, view(data)));
  },
  async hkdfSha256(secret, info, length, salt = NO_SALT) {
    const key = await subtle().importKey('raw', view(secret), 'HKDF', false, ['deriveBits']);
    const params = { name: 'HKDF', hash: 'SHA-256', salt: view(salt), info: view(info) };
    return bytes(subtle().deriveBits(params, key, length * 8));
  },

  importSealKey: (raw) =>
    subtle().importKey('raw', view(raw), HMAC_512, false, ['sign']) as unknown as Promise<SealKey>,
  generateSealKey: () =>
    subtle().generateKey({ ...HMAC_512, length: 256 }, false, ['sign']) as unknown as Promise<SealKey>,
  hmacSha512: (key, data) => bytes(subtle().sign('HMAC', cryptoKey(key), view(data))),

  importAesKey: (raw) =>
    subtle().importKey('raw', view(raw), 'AES-GCM', false, ['encrypt', 'decrypt']) as unknown as Promise<AesKey>,
  aesGcmEncrypt: (key, nonce, plaintext) =>
    bytes(subtle().encrypt({ name: 'AES-GCM', iv: view(nonce) }, cryptoKey(key), view(plaintext))),
  aesGcmDecrypt: (key, nonce, ciphertext) =>
    bytes(subtle().decrypt({ name: 'AES-GCM', iv: view(nonce) }, cryptoKey(key), view(ciphertext))),

  generateSigningSeed,
  // Only as JWK: WebKit refuses PKCS#8 of seeds that start with a zero byte, for ever.
  importSigningKey: (seed, publicKey) =>
    subtle().importKey('jwk', { kty: 'OKP', crv: ED25519, d: url(seed), x: url(publicKey) }, ED25519, false, [
      'sign',
    ]) as unknown as Promise<SigningKey>,
  sign: (key, data) => bytes(subtle().sign(ED25519, cryptoKey(key), view(data))),
  importVerifyKey: (raw) =>
    subtle().importKey('raw', view(raw), ED25519, true, ['verify']) as unknown as Promise<VerifyKey>,
  verify: (key, signature, data) => subtle().verify(ED25519, cryptoKey(key), view(signature), view(data)),

  encodeBase64,
  decodeBase64,
};
