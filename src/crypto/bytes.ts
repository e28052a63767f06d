/** Owns the conversions between bytes and text: strict base64, UTF-8, UUIDs; comparison, joining, randomness. */
import { primitives } from '#crypto/primitives';
import { CryptoError } from './error.ts';
import type { Bytes } from './primitives.types.ts';

export type { Bytes } from './primitives.types.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const encoder = new TextEncoder();
// `ignoreBOM` keeps a leading U+FEFF, so that decoding loses nothing.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The id that stands for "none": no target, no previous. */
export const NIL_ID = '00000000-0000-0000-0000-000000000000';

export const utf8 = (text: string): Bytes => encoder.encode(text);

export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new CryptoError('BAD_FORMAT', 'not UTF-8', { cause });
  }
}

export const random = (length: number): Bytes => primitives.random(length);

/** A copy that shares no memory with its source (unlike `Buffer.slice`). */
export const copy = (bytes: Uint8Array): Bytes => new Uint8Array(bytes);

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Takes the same time wherever the difference is. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

export const toBase64 = (bytes: Uint8Array): string => primitives.encodeBase64(bytes);

/** Standard alphabet, padded, canonical (RFC 4648 section 3.5): one text per byte string, so equal bytes are equal columns. */
export function fromBase64(text: string): Bytes {
  const bytes = decoded(text);
  // What is lenient in a decoder does not come back from the encoder.
  if (bytes === null || toBase64(bytes) !== text) throw new CryptoError('BAD_FORMAT', 'base64');
  return bytes;
}

function decoded(text: string): Bytes | null {
  try {
    return primitives.decodeBase64(text);
  } catch {
    return null;
  }
}

export const toBase64Url = (bytes: Uint8Array): string =>
  toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i] ?? 0];
  return text;
}

export function uuidToBytes(id: string): Bytes {
  if (!UUID.test(id)) throw new CryptoError('BAD_FORMAT', 'uuid');
  const out = new Uint8Array(16);
  for (let at = 0, i = 0; i < 16; at += 2, i++) {
    if (id.charCodeAt(at) === DASH) at++;
    out[i] = nibble(id.charCodeAt(at)) * 16 + nibble(id.charCodeAt(at + 1));
  }
  return out;
}

const DASH = 0x2d;
/** Of a lower-case hexadecimal digit. */
const nibble = (code: number): number => (code < 0x3a ? code - 0x30 : code - 0x57);
const fromNibble = (value: number): number => (value < 10 ? value + 0x30 : value + 0x57);

/** Written into one place each time: a text put together of many small ones leaves them all to be collected. */
const characters = Array.from({ length: 36 }, () => DASH);

export function uuidFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new CryptoError('BAD_FORMAT', 'uuid');
  for (let at = 0, i = 0; i < 16; at += 2, i++) {
    if (at === 8 || at === 13 || at === 18 || at === 23) at++;
    const byte = bytes[i] ?? 0;
    characters[at] = fromNibble(byte >> 4);
    characters[at + 1] = fromNibble(byte & 15);
  }
  return String.fromCharCode(...characters);
}
