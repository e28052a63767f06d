/**
 * The keyless door: decode and verify, never decrypt. It is all of `src/crypto` that the server may import.
 * Nothing exported here takes or returns a secret.
 */
import { primitives } from '#crypto/primitives';
import type { Bytes } from './primitives.types.ts';

export { applyEpoch, type AuthorKey, type EpochState, wrapRecipients } from './apply-epoch.ts';
export { type Bytes, bytesEqual, fromBase64, NIL_ID, toBase64 } from './bytes.ts';
export {
  type Envelope,
  type EnvelopeHeader,
  type EnvelopeType,
  envelopeHash,
  parseEnvelope,
  verifyEnvelope,
} from './envelope.ts';
export {
  decodeEpoch,
  type EpochKind,
  type EpochOp,
  type EpochRecord,
  MAX_MEMBERS,
  type Member,
  type MemberRole,
  ROLE_ADMIN,
  ROLE_MEMBER,
  ROLE_MODERATOR,
  type SignedEpoch,
} from './epoch.ts';
export { CryptoError, type CryptoErrorCode, isCryptoError } from './error.ts';
export {
  decodeIdentity,
  fingerprint,
  type IdentityKind,
  type IdentityRecord,
  type SignedIdentity,
  verifyIdentity,
} from './identity.ts';
export { isPadded, isPaddedLength } from './padding.ts';

export const sha256 = async (bytes: Uint8Array): Promise<Bytes> => primitives.sha256(bytes);
