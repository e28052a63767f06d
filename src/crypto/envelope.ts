/** Owns the outside of an encrypted message: the header everyone can read, and where ciphertext and signature lie. */
import { primitives } from '#crypto/primitives';
import type { Bytes } from './bytes.ts';
import { MIN_BOX_BYTES } from './chunks.ts';
import { CryptoError } from './error.ts';
import { SIGNATURE_BYTES, verifySignature } from './signature.ts';
import { Reader, Writer } from './wire.ts';

const VERSION = 1;
/** Freezes every algorithm at once: X-Wing HPKE, HKDF, chunked AES-256-GCM, Ed25519. */
const SUITE = 1;
const HASH_BYTES = 32;
export const HEADER_BYTES = 2 + 1 + 16 + 16 + 4 + 4 + HASH_BYTES + 16 + 4 + 16 + 8 + HASH_BYTES + 8 + HASH_BYTES;
/** 40,000 characters of base64. */
export const MAX_ENVELOPE_BYTES = 30_000;

const TYPES = ['message', 'edit', 'reaction', 'delete', 'meta'] as const;
export type EnvelopeType = (typeof TYPES)[number];

export interface EnvelopeHeader {
  type: EnvelopeType;
  conversationId: string;
  /** Of the message; an edit or tombstone carries the id of its message, a reaction its own. */
  messageId: string;
  revision: number;
  epoch: number;
  epochHash: Bytes;
  senderId: string;
  senderGen: number;
  /** What a reaction is about, NIL_ID in everything else. */
  targetId: string;
  /** The newest message the sender had seen: seq, and the hash of its envelope. */
  prevSeq: number;
  prevHash: Bytes;
  createdMs: number;
  /** The tag of a reaction, zeros in everything else. */
  aux: Bytes;
}

export interface Envelope {
  header: EnvelopeHeader;
  /** Views into the parsed bytes, not copies. */
  headerBytes: Uint8Array;
  ciphertext: Uint8Array;
  signature: Uint8Array;
}

export function encodeHeader(header: EnvelopeHeader): Bytes {
  return new Writer()
    .u8(VERSION)
    .u8(SUITE)
    .u8(TYPES.indexOf(header.type) + 1)
    .id(header.conversationId)
    .id(header.messageId)
    .u32(header.revision)
    .u32(header.epoch)
    .fixed(header.epochHash, HASH_BYTES)
    .id(header.senderId)
    .u32(header.senderGen)
    .id(header.targetId)
    .u64(header.prevSeq)
    .fixed(header.prevHash, HASH_BYTES)
    .u64(header.createdMs)
    .fixed(header.aux, HASH_BYTES)
    .end();
}

function decodeHeader(bytes: Uint8Array): EnvelopeHeader {
  const reader = new Reader(bytes);
  if (reader.u8() !== VERSION || reader.u8() !== SUITE) throw new CryptoError('BAD_VERSION');
  const type = TYPES[reader.u8() - 1];
  if (type === undefined) throw new CryptoError('BAD_FORMAT', 'envelope type');
  const header: EnvelopeHeader = {
    type,
    conversationId: reader.id(),
    messageId: reader.id(),
    revision: reader.u32(),
    epoch: reader.u32(),
    epochHash: reader.fixed(HASH_BYTES),
    senderId: reader.id(),
    senderGen: reader.u32(),
    targetId: reader.id(),
    prevSeq: reader.u64(),
    prevHash: reader.fixed(HASH_BYTES),
    createdMs: reader.u64(),
    aux: reader.fixed(HASH_BYTES),
  };
  reader.end();
  return header;
}

/** Splits and decodes; nothing is verified. Throws BAD_FORMAT or BAD_VERSION. */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length < HEADER_BYTES + MIN_BOX_BYTES + SIGNATURE_BYTES || bytes.length > MAX_ENVELOPE_BYTES) {
    throw new CryptoError('BAD_FORMAT', 'envelope size');
  }
  const headerBytes = bytes.subarray(0, HEADER_BYTES);
  return {
    header: decodeHeader(headerBytes),
    headerBytes,
    ciphertext: bytes.subarray(HEADER_BYTES, bytes.length - SIGNATURE_BYTES),
    signature: bytes.subarray(bytes.length - SIGNATURE_BYTES),
  };
}

/** What the sender signs: the header and the hash of the ciphertext, so that a signature can be checked without a key. */
export async function signedBytes(headerBytes: Uint8Array, ciphertext: Uint8Array): Promise<Bytes> {
  const hash = await primitives.sha256(ciphertext);
  return new Writer().label('msg-sig').bytes(headerBytes).fixed(hash, HASH_BYTES).end();
}

/** Names an envelope. Without the signature, because Ed25519 signatures are malleable in some engines. */
export async function envelopeHash(envelope: Pick<Envelope, 'headerBytes' | 'ciphertext'>): Promise<Bytes> {
  return primitives.sha256(await signedBytes(envelope.headerBytes, envelope.ciphertext));
}

/** Gives the envelope's hash, made from the very bytes that were verified. Throws BAD_SIGNATURE. */
export async function verifyEnvelope(envelope: Envelope, sigPub: Uint8Array): Promise<Bytes> {
  const signed = await signedBytes(envelope.headerBytes, envelope.ciphertext);
  if (!(await verifySignature(sigPub, envelope.signature, signed))) throw new CryptoError('BAD_SIGNATURE');
  return primitives.sha256(signed);
}
