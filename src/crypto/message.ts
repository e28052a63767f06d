/** Owns the inside of an envelope: a JSON payload, padded, sealed under the epoch's message key, signed by its sender. */
import { primitives } from '#crypto/primitives';
import { type Bytes, concat, fromUtf8, utf8 } from './bytes.ts';
import { open, seal } from './cobblestone.ts';
import { encodeHeader, type Envelope, type EnvelopeHeader, MAX_ENVELOPE_BYTES, signedBytes } from './envelope.ts';
import { CryptoError } from './error.ts';
import { pad, unpad } from './padding.ts';
import type { SealKey, SigningKey } from './primitives.types.ts';
import { Writer } from './wire.ts';

/** Unknown fields are kept by whoever passes a payload on: a newer client may have put them there. */
export type Payload = Record<string, unknown>;

/** Throws BAD_FORMAT for a payload that would not fit an envelope. */
export async function sealEnvelope(
  header: EnvelopeHeader,
  keys: { messageKey: SealKey; signer: SigningKey },
  payload: Payload,
): Promise<Bytes> {
  const headerBytes = encodeHeader(header);
  const ciphertext = await seal(keys.messageKey, context(headerBytes), pad(utf8(JSON.stringify(payload))));
  const signature = await primitives.sign(keys.signer, await signedBytes(headerBytes, ciphertext));
  const envelope = concat(headerBytes, ciphertext, signature);
  if (envelope.length > MAX_ENVELOPE_BYTES) throw new CryptoError('BAD_FORMAT', 'too large');
  return envelope;
}

/** Decrypts only: whose it is and whether it belongs here must be verified before. Throws DECRYPT or BAD_FORMAT. */
export async function openEnvelope(envelope: Envelope, messageKey: SealKey): Promise<Payload> {
  const padded = await open(messageKey, context(envelope.headerBytes), envelope.ciphertext);
  return parsePayload(fromUtf8(unpad(padded)));
}

// The header is authenticated by the ciphertext too, so nobody can strip a signature and sign the text as his own.
function context(headerBytes: Uint8Array): Bytes {
  return new Writer().label('msg').bytes(headerBytes).end();
}

function parsePayload(text: string): Payload {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CryptoError('BAD_FORMAT', 'payload', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CryptoError('BAD_FORMAT', 'payload');
  return value as Payload;
}
