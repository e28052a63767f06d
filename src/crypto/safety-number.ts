/** Owns the number two people compare to be sure that nobody stands between them. */
import { primitives } from '#crypto/primitives';
import { utf8 } from './bytes.ts';
import { label } from './wire.ts';

const GROUPS = 6;
const BYTES_PER_GROUP = 5;

/** Twelve groups of five digits, the same on both sides. Takes the fingerprints of both identities. */
export async function safetyNumber(a: Uint8Array, b: Uint8Array): Promise<string> {
  const halves = [await half(a), await half(b)].sort();
  return halves.flat().join(' ');
}

async function half(fingerprint: Uint8Array): Promise<string[]> {
  const bytes = await primitives.hkdfSha256(fingerprint, utf8(label('safety')), GROUPS * BYTES_PER_GROUP);
  return Array.from({ length: GROUPS }, (_, group) => {
    let value = 0;
    for (let i = 0; i < BYTES_PER_GROUP; i++) value = value * 256 + (bytes[group * BYTES_PER_GROUP + i] ?? 0);
    return String(value % 100_000).padStart(5, '0');
  });
}
