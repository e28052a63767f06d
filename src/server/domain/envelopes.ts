/** What the server can check of an envelope without keys: its form, its padding, and that its header names this very act. */
import {
  bytesEqual,
  CryptoError,
  type EnvelopeHeader,
  type EnvelopeType,
  fromBase64,
  isPadded,
  NIL_ID,
  parseEnvelope,
} from '#crypto/verify';
import { ParleyError } from '#protocol/errors';
import { LIMITS } from '#protocol/limits';
import type { Membership } from './access.ts';

/** Clients' clocks may be wrong by so much. What waited longer is told apart from what is malformed: sealed anew, it may go. */
const MAX_SKEW_MS = 24 * 60 * 60 * 1_000;

export interface ExpectedEnvelope {
  type: EnvelopeType;
  conversationId: string;
  messageId: string;
  senderId: string;
  targetId?: string;
  /** The epoch the call names beside the envelope, where it does. */
  keyEpoch?: number;
  aux?: Uint8Array;
  revision?: number;
}

const badFormat = (message: string, cause?: unknown) =>
  new ParleyError('BAD_REQUEST', 'bad_format', { message, cause });

/**
 * Parses base64 into a header, or throws BAD_REQUEST `bad_format` / `not_padded`. Signatures are for the receivers:
 * they must verify anyway, and here it would cost each send more than everything else (docs/decisions/0003-writing.md).
 */
export function checkEnvelope(content: string, expected: ExpectedEnvelope): EnvelopeHeader {
  if (content.length > LIMITS.contentEncrypted)
    throw new ParleyError('PAYLOAD_TOO_LARGE', 'too_large', { limit: LIMITS.contentEncrypted });
  const { header, ciphertext } = parse(content);
  const mismatch = mismatchOf(header, expected);
  if (mismatch) throw badFormat(`the envelope names another ${mismatch}`);
  if (Math.abs(header.createdMs - Date.now()) > MAX_SKEW_MS)
    throw badFormat('the envelope was made at another time: is the clock right?');
  if (!isPadded(ciphertext)) throw new ParleyError('BAD_REQUEST', 'not_padded');
  return header;
}

/** What the header names otherwise than the call. */
function mismatchOf(header: EnvelopeHeader, expected: ExpectedEnvelope): string | undefined {
  if (header.type !== expected.type) return 'type';
  if (header.conversationId !== expected.conversationId) return 'conversation';
  if (header.messageId !== expected.messageId) return 'message id';
  if (header.senderId !== expected.senderId) return 'sender';
  if (header.targetId !== (expected.targetId ?? NIL_ID)) return 'target';
  if (expected.keyEpoch !== undefined && header.epoch !== expected.keyEpoch) return 'epoch';
  if (expected.aux !== undefined && !bytesEqual(header.aux, expected.aux)) return 'tag';
  if (expected.revision !== undefined && header.revision !== expected.revision) return 'revision';
  return undefined;
}

function parse(content: string) {
  try {
    return parseEnvelope(fromBase64(content));
  } catch (error) {
    if (error instanceof CryptoError) throw badFormat('not an envelope', error);
    throw error;
  }
}

/** CONFLICT when the envelope was sealed for another state of the keys than the conversation's; the client syncs and seals again. */
export function checkKeys(membership: Membership, header: EnvelopeHeader): void {
  if (membership.rekeyRequired) throw new ParleyError('CONFLICT', 'rekey_required');
  if (header.epoch !== membership.keyEpoch || !bytesEqual(header.epochHash, membership.epochHash))
    throw new ParleyError('CONFLICT', 'epoch_stale');
  if (header.senderGen !== membership.keyGen) throw new ParleyError('CONFLICT', 'identity_stale');
}
