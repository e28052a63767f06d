/** The door for clients, beside `verify.ts`: what makes, opens and keeps secrets. Each name is at one door only. */

export {
  type Account,
  changePassword,
  createAccount,
  type IdentityRotation,
  newRecoveryLock,
  openSettings,
  type PasswordChange,
  type RecoveryLock,
  type Registration,
  resetAccount,
  type Rotatable,
  rotateIdentity,
  sealSettings,
  type StoredAccount,
  unlockWithPassword,
  unlockWithRecoveryKey,
} from './account.ts';
export { FileOpener, type FilePlace, FileSealer, newFileHash } from './attachment.ts';
export { type AuthoredEpoch, authorEpoch, type EpochAuthor, type EpochDraft } from './author-epoch.ts';
export { concat, fromUtf8, random, toBase64Url, toHex, utf8 } from './bytes.ts';
export { generateSealKey, importSealKey, open, seal } from './cobblestone.ts';
export { checkCommitment, messageKey, ratchetKey, reactionKey, reactionTag } from './epoch-key.ts';
export { importKemPublicKey, loadHpke, type KemPrivateKey, type KemPublicKey } from './hpke.ts';
export { type KeychainPlace, openKeychain, sealKeychain } from './keychain.ts';
export { importKeyring, type Keyring, type KeyGeneration, type LiveKeys } from './keyring.ts';
export { openEnvelope, type Payload, sealEnvelope } from './message.ts';
export {
  type Cost,
  derivePasswordSecrets,
  isBehind,
  type Kdf,
  newKdf,
  type PasswordSecrets,
  TODAY,
} from './password.ts';
export type { RunningHash, SealKey, SigningKey } from './primitives.types.ts';
export { deriveRecoverySecrets, type RecoverySecrets } from './recovery-key.ts';
export { safetyNumber } from './safety-number.ts';
export { type EpochKey, type GrantPlace, openGrant, sealGrant, unwrapKey, type WrapPlace } from './wrap.ts';
