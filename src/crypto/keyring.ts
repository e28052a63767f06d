/** Owns the private keys of a person, generation by generation: as live keys, and sealed as JSON under the master key. */
import { primitives } from '#crypto/primitives';
import { type Bytes, fromBase64, fromUtf8, toBase64, utf8 } from './bytes.ts';
import { importSealKey, open, seal } from './cobblestone.ts';
import { CryptoError } from './error.ts';
import { type KemPrivateKey, kemKeyPair } from './hpke.ts';
import type { SealKey, SigningKey } from './primitives.types.ts';
import { label, Writer } from './wire.ts';

export interface KeyGeneration {
  gen: number;
  sigSeed: Bytes;
  sigPub: Bytes;
  kemSeed: Bytes;
}

/** The oldest first; the last is in use, the others open what was wrapped for them. */
export type Keyring = readonly KeyGeneration[];

export interface LiveKeys {
  gen: number;
  sigPub: Bytes;
  signer: SigningKey;
  kemPub: Bytes;
  kem: ReadonlyMap<number, KemPrivateKey>;
}

export async function sealKeyring(masterKey: Uint8Array, userId: string, keyring: Keyring): Promise<Bytes> {
  const gens = keyring.map((keys) => ({
    gen: keys.gen,
    sigSeed: toBase64(keys.sigSeed),
    sigPub: toBase64(keys.sigPub),
    kemSeed: toBase64(keys.kemSeed),
  }));
  return seal(await keyringKey(masterKey), context(userId), utf8(JSON.stringify({ v: 1, gens })));
}

/** Throws DECRYPT, or BAD_FORMAT. */
export async function openKeyring(masterKey: Uint8Array, userId: string, sealed: Uint8Array): Promise<Keyring> {
  return decodeKeyring(fromUtf8(await open(await keyringKey(masterKey), context(userId), sealed)));
}

export async function newKeyGeneration(gen: number): Promise<KeyGeneration> {
  const { seed, publicKey } = await primitives.generateSigningSeed();
  return { gen, sigSeed: seed, sigPub: publicKey, kemSeed: primitives.random(32) };
}

/** `signer` where the seed is not at hand: a device keeps the signing key as an object that cannot be read. */
export async function importKeyring(keyring: Keyring, signer?: SigningKey): Promise<LiveKeys> {
  const current = keyring.at(-1);
  if (!current) throw new CryptoError('BAD_FORMAT', 'empty keyring');
  const kem = new Map<number, KemPrivateKey>();
  let kemPub: Bytes = new Uint8Array(0);
  for (const keys of keyring) {
    const pair = await kemKeyPair(keys.kemSeed);
    kem.set(keys.gen, pair.privateKey);
    kemPub = pair.publicKey;
  }
  const { gen, sigSeed, sigPub } = current;
  return { gen, sigPub, signer: signer ?? (await primitives.importSigningKey(sigSeed, sigPub)), kemPub, kem };
}

async function keyringKey(masterKey: Uint8Array): Promise<SealKey> {
  return importSealKey(await primitives.hkdfSha256(masterKey, utf8(label('keyring')), 32));
}

const context = (userId: string): Bytes => new Writer().label('keyring').id(userId).end();

function decodeKeyring(text: string): Keyring {
  try {
    const { v, gens } = JSON.parse(text) as { v: number; gens: Record<keyof KeyGeneration, unknown>[] };
    if (v !== 1) throw new CryptoError('BAD_VERSION', 'keyring');
    return gens.map((keys) => ({
      gen: Number(keys.gen),
      sigSeed: fromBase64(String(keys.sigSeed)),
      sigPub: fromBase64(String(keys.sigPub)),
      kemSeed: fromBase64(String(keys.kemSeed)),
    }));
  } catch (cause) {
    if (cause instanceof CryptoError) throw cause;
    throw new CryptoError('BAD_FORMAT', 'keyring', { cause });
  }
}
