/** Owns the recovery key: 20 random bytes as 34 characters a person can copy by hand, with a checksum against slips. */
import { primitives } from '#crypto/primitives';
import { type Bytes, random, utf8 } from './bytes.ts';
import { importSealKey } from './cobblestone.ts';
import { CryptoError } from './error.ts';
import type { SealKey } from './primitives.types.ts';
import { label } from './wire.ts';

/** Crockford's base 32: no I, L, O, U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const KEY_BYTES = 20;
const KEY_CHARS = 32;
const CHECK_CHARS = 2;

export interface RecoverySecrets {
  kek: SealKey;
  /** What proves possession to the server; it stores only the SHA-256. */
  proof: Bytes;
  verifier: Bytes;
}

export async function newRecoveryKey(): Promise<string> {
  return formatRecoveryKey(random(KEY_BYTES));
}

/** Eight groups of four, then two characters of checksum. */
export async function formatRecoveryKey(bytes: Uint8Array): Promise<string> {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let i = KEY_CHARS - 1; i >= 0; i--) text += ALPHABET.charAt(Number((bits >> BigInt(5 * i)) & 31n));
  const groups = text.match(/.{4}/g) ?? [];
  return [...groups, await checksum(bytes)].join('-');
}

/** Takes lower case, spaces, and the letters people mistake for digits. Throws BAD_RECOVERY_KEY. */
export async function parseRecoveryKey(text: string): Promise<Bytes> {
  const clean = text.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  const digits = [...clean].map((char) => ALPHABET.indexOf(char));
  if (digits.length !== KEY_CHARS + CHECK_CHARS || digits.includes(-1)) throw new CryptoError('BAD_RECOVERY_KEY');
  let bits = 0n;
  for (const digit of digits.slice(0, KEY_CHARS)) bits = (bits << 5n) | BigInt(digit);
  const bytes = Uint8Array.from({ length: KEY_BYTES }, (_, i) =>
    Number((bits >> BigInt(8 * (KEY_BYTES - 1 - i))) & 255n),
  );
  if ((await checksum(bytes)) !== clean.slice(KEY_CHARS)) throw new CryptoError('BAD_RECOVERY_KEY');
  return bytes;
}

export async function deriveRecoverySecrets(recoveryKey: string): Promise<RecoverySecrets> {
  const bytes = await parseRecoveryKey(recoveryKey);
  const kek = await primitives.hkdfSha256(bytes, utf8(label('kek-rec')), 32);
  const proof = await primitives.hkdfSha256(bytes, utf8(label('auth-rec')), 32);
  return { kek: await importSealKey(kek), proof, verifier: await primitives.sha256(proof) };
}

async function checksum(bytes: Uint8Array): Promise<string> {
  const [first = 0, second = 0] = await primitives.sha256(bytes);
  return ALPHABET.charAt(first >> 3) + ALPHABET.charAt(second >> 3);
}
