/** Owns the reasons for which the keyring refuses content or a server's account of it. */

import { isCryptoError } from '#crypto/verify';

export type KeyringReason =
  /** An envelope of another conversation. */
  | 'WRONG_CONVERSATION'
  /** Row and envelope disagree about id, sender, type, epoch or target. */
  | 'ROW_MISMATCH'
  | 'EPOCH_MISMATCH'
  | 'NOT_A_MEMBER'
  /** Sealed with an epoch that had already ended when it was stored. */
  | 'LATE_EPOCH'
  | 'FORGED_SENDER'
  /** Deleted or renamed by somebody whose signed role does not allow it. */
  | 'NOT_ALLOWED'
  | 'REPLAY'
  | 'ROLLBACK'
  | 'EQUIVOCATION'
  | 'BAD_TAG'
  /** Sealed while I was not in the conversation, and nobody has granted me its key. */
  | 'BEFORE_JOIN'
  /** Sealed for keys of mine that went with a reset. */
  | 'BEFORE_RESET'
  /** The key that was wrapped for me has not come. */
  | 'NO_EPOCH_KEY'
  /** What came in its place was not that key. */
  | 'BAD_WRAP'
  | 'BAD_GRANT'
  /** The newest epoch has served long enough: rotate, then seal. */
  | 'EPOCH_WORN'
  | 'NO_IDENTITY'
  | 'PIN_MISMATCH'
  | 'OWN_IDENTITY_MISMATCH'
  /** A member list names newer keys of mine than I have. */
  | 'OWN_IDENTITY_ROLLBACK'
  /** Sending waits: somebody whose keys I had compared has others now. Reported to whoever sends, as a reason like the server's. */
  | 'contact_changed'
  /** The server gave an older copy of my settings than before. */
  | 'SETTINGS_ROLLBACK'
  | 'EPOCH_ROLLBACK'
  | 'EPOCH_FORK'
  /** A file that was chosen cannot be read any more, or is not as long as it was. */
  | 'FILE_UNREADABLE'
  /** What the server gives in place of a file is not the one that the message names. */
  | 'FILE_CHANGED'
  | 'LOCKED';

export class KeyringError extends Error {
  readonly code: KeyringReason;

  constructor(code: KeyringReason, detail?: string) {
    super(detail === undefined ? code : `${code}: ${detail}`);
    this.name = 'KeyringError';
    this.code = code;
  }
}

/**
 * The reason shown for content that could not be verified. Anything else is thrown on: a lost connection says nothing about
 * the content, and a defect must not look like an attack. By name, because errors cross the border of a worker.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    if (error.name === 'KeyringError' || error.name === 'CryptoError') return error.code;
    // The server has no keys for me any more: I am not in it.
    if (error.name === 'SdkError' && error.code === 'NOT_FOUND') return 'NO_EPOCH_KEY';
  }
  throw error;
}

/** False for keys that are no good; anything else is thrown on. */
export async function isGood(run: () => Promise<void>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (isCryptoError(error) || error instanceof KeyringError) return false;
    throw error;
  }
}
