/** Owns public-key encryption: HPKE base mode (RFC 9180) with X-Wing (X25519 + ML-KEM-768), HKDF-SHA256, AES-256-GCM. */
import type { Suite } from './suite.ts';
import { type Bytes, concat, copy } from './bytes.ts';
import { CryptoError } from './error.ts';

const ENCAPSULATED_BYTES = 1120;
export const KEM_SEED_BYTES = 32;

/** A third of all script in here, and reading needs none of it: it comes beside the rest. Rejects when it cannot be had. */
let chosen: Promise<Suite> | undefined;
export function loadHpke(): Promise<Suite> {
  chosen ??= import('./suite.ts')
    .then(({ newSuite }) => newSuite())
    .catch((error: unknown) => {
      // The network was away; next time it may be there.
      chosen = undefined;
      throw error;
    });
  return chosen;
}

/** A key of the library: plain JavaScript inside, so it does not clone into storage; keep the seed instead, sealed. */
export type KemPrivateKey = CryptoKey;
export type KemPublicKey = CryptoKey;

export async function kemKeyPair(seed: Uint8Array): Promise<{ privateKey: KemPrivateKey; publicKey: Bytes }> {
  if (seed.length !== KEM_SEED_BYTES) throw new CryptoError('BAD_KEY');
  const { kem } = await loadHpke();
  const pair = await kem.generateKeyPairDerand(copy(seed));
  return { privateKey: pair.privateKey, publicKey: new Uint8Array(await kem.serializePublicKey(pair.publicKey)) };
}

export async function importKemPublicKey(raw: Uint8Array): Promise<KemPublicKey> {
  const { kem } = await loadHpke();
  try {
    return await kem.deserializePublicKey(copy(raw).buffer);
  } catch (cause) {
    throw new CryptoError('BAD_KEY', undefined, { cause });
  }
}

/** What the private key was made from: other keys of the same generation are derived from it. */
export async function kemSeedOf(key: KemPrivateKey): Promise<Bytes> {
  const { kem } = await loadHpke();
  return new Uint8Array(await kem.serializePrivateKey(key));
}

/** `info` names what this is for; the receiver must name the same. */
export async function hpkeSeal(recipient: KemPublicKey, info: Uint8Array, plaintext: Uint8Array): Promise<Bytes> {
  const { suite } = await loadHpke();
  const sealed = await suite.seal({ recipientPublicKey: recipient, info: copy(info) }, copy(plaintext));
  return concat(new Uint8Array(sealed.enc), new Uint8Array(sealed.ct));
}

/** Throws UNWRAP. */
export async function hpkeOpen(recipient: KemPrivateKey, info: Uint8Array, sealed: Uint8Array): Promise<Bytes> {
  const { suite } = await loadHpke();
  try {
    const enc = copy(sealed.subarray(0, ENCAPSULATED_BYTES));
    const params = { recipientKey: recipient, enc, info: copy(info) };
    return new Uint8Array(await suite.open(params, copy(sealed.subarray(ENCAPSULATED_BYTES))));
  } catch (cause) {
    throw new CryptoError('UNWRAP', undefined, { cause });
  }
}
