/** Owns what a password becomes: Argon2id in the client, then two secrets that know nothing of each other. */
import { primitives } from '#crypto/primitives';
import { type Bytes, fromBase64, random, toBase64, toBase64Url, utf8 } from './bytes.ts';
import { importSealKey } from './cobblestone.ts';
import { CryptoError } from './error.ts';
import type { SealKey } from './primitives.types.ts';
import { label } from './wire.ts';

/** Public parameters of the derivation; `m` in KiB, `salt` base64. */
export interface Kdf {
  alg: 'argon2id';
  m: number;
  t: number;
  p: number;
  salt: string;
}

/** Below it the server is trying to make guessing cheap: refused. About 0.3-0.6 s in a browser. */
const FLOOR = { m: 65_536, t: 3, p: 1, saltBytes: 16 };
/** Above it the server is trying to make us run out of memory or time. */
const CEILING = { m: 1_048_576, t: 16, p: 16, saltBytes: 64 };

export interface PasswordSecrets {
  /** base64url of 32 bytes, 43 characters: what the server gets in place of the password. */
  authSecret: string;
  /** Opens the master key; never leaves the client. */
  kek: SealKey;
}

/** What new passwords are stretched with. Raise it here, and accounts follow as their people log in. */
export const TODAY = { m: FLOOR.m, t: FLOOR.t, p: FLOOR.p };
export type Cost = typeof TODAY;

export function newKdf(cost: Cost = TODAY): Kdf {
  return { alg: 'argon2id', ...cost, salt: toBase64(random(FLOOR.saltBytes)) };
}

/** Guessing costs less than it would today. Lanes only share the work. */
export const isBehind = ({ m, t }: Kdf, cost: Cost): boolean => m < cost.m || t < cost.t;

/** Throws KDF_DOWNGRADE or KDF_EXCESSIVE before any work is done. */
export async function derivePasswordSecrets(password: string, kdf: Kdf): Promise<PasswordSecrets> {
  const salt = checkedSalt(kdf);
  // A quarter of all the cryptography, and a device that remembers its keys never needs it.
  const { argon2id } = await import('./argon2.ts');
  const stretched = await argon2id({
    // One keyboard composes é, another sends e and an accent: the same password.
    password: password.normalize('NFKC'),
    salt,
    memorySize: kdf.m,
    iterations: kdf.t,
    parallelism: kdf.p,
    hashLength: 32,
    outputType: 'binary',
  });
  const authSecret = await primitives.hkdfSha256(stretched, utf8(label('auth')), 32);
  const kek = await primitives.hkdfSha256(stretched, utf8(label('kek')), 32);
  return { authSecret: toBase64Url(authSecret), kek: await importSealKey(kek) };
}

function checkedSalt(kdf: Kdf): Bytes {
  const salt = fromBase64(kdf.salt);
  const { m, t, p } = kdf;
  if (kdf.alg !== 'argon2id' || ![m, t, p].every(Number.isSafeInteger)) throw new CryptoError('KDF_DOWNGRADE');
  if (m < FLOOR.m || t < FLOOR.t || p < FLOOR.p || salt.length < FLOOR.saltBytes)
    throw new CryptoError('KDF_DOWNGRADE');
  if (m > CEILING.m || t > CEILING.t || p > CEILING.p || salt.length > CEILING.saltBytes) {
    throw new CryptoError('KDF_EXCESSIVE');
  }
  return salt;
}
