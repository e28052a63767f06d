/** Owns the one error of the cryptographic core and its stable codes. */

export type CryptoErrorCode =
  /** Bytes that are not what the format says: lengths, labels, base64, trailing data, unknown kinds. */
  | 'BAD_FORMAT'
  /** An envelope of a version or suite this build does not know. There is no negotiation. */
  | 'BAD_VERSION'
  /** A key of the wrong length or kind. */
  | 'BAD_KEY'
  /** An identity record whose signatures or chain do not hold. */
  | 'BAD_IDENTITY'
  /** An epoch record that the rules of membership do not allow. */
  | 'BAD_EPOCH'
  | 'BAD_SIGNATURE'
  /** One code for every failure to open a sealed box: what exactly failed is nobody's business. */
  | 'DECRYPT'
  /** A wrapped key that was not made for this person, epoch and conversation. */
  | 'UNWRAP'
  /** An unwrapped key that is not the one its epoch record commits to. */
  | 'KEY_COMMIT'
  | 'KDF_DOWNGRADE'
  | 'KDF_EXCESSIVE'
  /** The server handed back an identity that is not ours. */
  | 'OWN_IDENTITY_MISMATCH'
  | 'BAD_RECOVERY_KEY';

/** Everything the core refuses is refused with this; any other exception is a defect of the program. */
export class CryptoError extends Error {
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail === undefined ? code : `${code}: ${detail}`, options);
    this.name = 'CryptoError';
    this.code = code;
  }
}

export function isCryptoError(error: unknown, code?: CryptoErrorCode): error is CryptoError {
  return error instanceof CryptoError && (code === undefined || error.code === code);
}
