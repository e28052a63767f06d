/** Owns the life of an account: registration, unlocking with password or recovery key, a new password, new identity keys. */
import { primitives } from '#crypto/primitives';
import { type Bytes, bytesEqual, fromBase64, random, toBase64, utf8 } from './bytes.ts';
import { importSealKey, open, seal } from './cobblestone.ts';
import { CryptoError } from './error.ts';
import { decodeIdentity, encodeIdentity, type IdentityKind, type SignedIdentity } from './identity.ts';
import { importKeyring, type Keyring, type LiveKeys, newKeyGeneration, openKeyring, sealKeyring } from './keyring.ts';
import { derivePasswordSecrets, type Kdf, newKdf } from './password.ts';
import type { SealKey, SigningKey } from './primitives.types.ts';
import { deriveRecoverySecrets, newRecoveryKey } from './recovery-key.ts';
import { label, Writer } from './wire.ts';

type Lock = 'pw' | 'rec';

/** What the server keeps of an account and gives back at log-in. Everything base64. */
export interface StoredAccount {
  identity: { record: string; selfSig: string; prevSig?: string | null };
  keyring: string;
}

/** An account that is open. The master key is for the moment of unlocking; do not keep it. */
export interface Account {
  userId: string;
  masterKey: Bytes;
  keyring: Keyring;
  keys: LiveKeys;
  identity: SignedIdentity;
  /** Seals what follows the person from device to device: pins, verified flags. */
  settingsKey: Bytes;
}

export interface Registration {
  authSecret: string;
  identity: {
    record: string;
    selfSig: string;
    kdf: Kdf;
    wrappedMasterKey: { password: string; recovery: string };
    recoveryVerifier: string;
    keyring: string;
  };
  /** Shown to the person once. */
  recoveryKey: string;
  account: Account;
}

export async function createAccount(input: {
  userId: string;
  password: string;
  createdMs: number;
}): Promise<Registration> {
  return newAccount(input, 'first');
}

/** After everything was lost: keys that nothing vouches for, in the place of those of `record`. */
export async function resetAccount(input: {
  userId: string;
  password: string;
  createdMs: number;
  record: Uint8Array;
}): Promise<Registration> {
  return newAccount(input, 'reset');
}

async function newAccount(
  input: { userId: string; password: string; createdMs: number; record?: Uint8Array },
  kind: 'first' | 'reset',
): Promise<Registration> {
  const { userId, password, record } = input;
  const masterKey = random(32);
  const keyring = [await newKeyGeneration(record ? decodeIdentity(record).gen + 1 : 0)];
  const signed = await signIdentity({ ...input, kind, keyring });
  const kdf = newKdf();
  const secrets = await derivePasswordSecrets(password, kdf);
  const { recoveryKey, ...recovery } = await newRecoveryLock({ userId, masterKey });
  const identity = {
    record: toBase64(signed.record),
    selfSig: toBase64(signed.selfSig),
    kdf,
    wrappedMasterKey: {
      password: await wrapMasterKey(secrets.kek, { userId, lock: 'pw' }, masterKey),
      ...recovery.wrappedMasterKey,
    },
    recoveryVerifier: recovery.recoveryVerifier,
    keyring: toBase64(await sealKeyring(masterKey, userId, keyring)),
  };
  // A wrong Argon2 result on some device would lock the person out for ever: prove the way back in before anyone needs it.
  const again = await derivePasswordSecrets(password, kdf);
  const wrapped = identity.wrappedMasterKey.password;
  const account = await unlockWithPassword({
    userId,
    kek: again.kek,
    wrapped,
    stored: { identity, keyring: identity.keyring },
  });
  return { authSecret: secrets.authSecret, identity, recoveryKey, account };
}

export interface RecoveryLock {
  wrappedMasterKey: { recovery: string };
  recoveryVerifier: string;
  /** Shown to the person once. */
  recoveryKey: string;
}

/** Another recovery key for the same master key. */
export async function newRecoveryLock({
  userId,
  masterKey,
}: Pick<Account, 'userId' | 'masterKey'>): Promise<RecoveryLock> {
  const recoveryKey = await newRecoveryKey();
  const { kek, verifier } = await deriveRecoverySecrets(recoveryKey);
  const recovery = await wrapMasterKey(kek, { userId, lock: 'rec' }, masterKey);
  return { wrappedMasterKey: { recovery }, recoveryVerifier: toBase64(verifier), recoveryKey };
}

/** Throws DECRYPT for a wrong password, OWN_IDENTITY_MISMATCH when the server's idea of our public keys is not ours. */
export async function unlockWithPassword(input: {
  userId: string;
  kek: SealKey;
  wrapped: string;
  stored: StoredAccount;
}): Promise<Account> {
  const masterKey = await unwrapMasterKey(input.kek, { userId: input.userId, lock: 'pw' }, input.wrapped);
  return unlock(input.userId, masterKey, input.stored);
}

export async function unlockWithRecoveryKey(input: {
  userId: string;
  recoveryKey: string;
  wrapped: string;
  stored: StoredAccount;
}): Promise<Account> {
  const { kek } = await deriveRecoverySecrets(input.recoveryKey);
  const masterKey = await unwrapMasterKey(kek, { userId: input.userId, lock: 'rec' }, input.wrapped);
  return unlock(input.userId, masterKey, input.stored);
}

export interface PasswordChange {
  authSecret: string;
  kdf: Kdf;
  wrappedMasterKey: { password: string };
}

/** Only the lock is new: the master key and everything under it stay. */
export async function changePassword(
  account: Pick<Account, 'userId' | 'masterKey'>,
  password: string,
  kdf: Kdf = newKdf(),
): Promise<PasswordChange> {
  const secrets = await derivePasswordSecrets(password, kdf);
  const place = { userId: account.userId, lock: 'pw' } as const;
  const wrapped = await wrapMasterKey(secrets.kek, place, account.masterKey);
  const again = await derivePasswordSecrets(password, kdf);
  await unwrapMasterKey(again.kek, place, wrapped);
  return { authSecret: secrets.authSecret, kdf, wrappedMasterKey: { password: wrapped } };
}

export interface IdentityRotation {
  identity: { record: string; selfSig: string; prevSig: string };
  keyring: string;
  wrappedMasterKey: { password: string; recovery: string };
  recoveryVerifier: string;
  recoveryKey: string;
  account: Account;
}

/** What a device keeps that was signed in: no master key, and the signing key only as an object. Enough to sign the next keys. */
export type Rotatable = Pick<Account, 'userId' | 'keyring' | 'keys' | 'identity'>;

/** After a theft: new keys signed by the old, a new master key, so that what was stolen opens nothing that comes. */
export async function rotateIdentity(account: Rotatable, kek: SealKey, createdMs: number): Promise<IdentityRotation> {
  const { userId } = account;
  const keyring = [...account.keyring, await newKeyGeneration(account.keys.gen + 1)];
  const {
    identity: { record },
    keys: { signer },
  } = account;
  const signed = await signIdentity({ userId, createdMs, kind: 'rotate', keyring, record, signer });
  const masterKey = random(32);
  const { recoveryKey, ...recovery } = await newRecoveryLock({ userId, masterKey });
  const identity = {
    record: toBase64(signed.record),
    selfSig: toBase64(signed.selfSig),
    prevSig: toBase64(signed.prevSig ?? new Uint8Array(0)),
  };
  const sealed = toBase64(await sealKeyring(masterKey, userId, keyring));
  return {
    identity,
    keyring: sealed,
    wrappedMasterKey: {
      password: await wrapMasterKey(kek, { userId, lock: 'pw' }, masterKey),
      ...recovery.wrappedMasterKey,
    },
    recoveryVerifier: recovery.recoveryVerifier,
    recoveryKey,
    account: await unlock(userId, masterKey, { identity, keyring: sealed }),
  };
}

/** `version` is part of the seal, so that an old copy cannot pass for the newest. */
export async function sealSettings(
  settingsKey: Uint8Array,
  at: { userId: string; version: number },
  settings: unknown,
): Promise<string> {
  const plaintext = utf8(JSON.stringify(settings));
  return toBase64(await seal(await importSealKey(settingsKey), settingsContext(at), plaintext));
}

export async function openSettings(
  settingsKey: Uint8Array,
  at: { userId: string; version: number },
  sealed: string,
): Promise<unknown> {
  const plaintext = await open(await importSealKey(settingsKey), settingsContext(at), fromBase64(sealed));
  return JSON.parse(new TextDecoder().decode(plaintext));
}

async function unlock(userId: string, masterKey: Bytes, stored: StoredAccount): Promise<Account> {
  const keyring = await openKeyring(masterKey, userId, fromBase64(stored.keyring));
  const keys = await importKeyring(keyring);
  const identity: SignedIdentity = {
    record: fromBase64(stored.identity.record),
    selfSig: fromBase64(stored.identity.selfSig),
    prevSig: stored.identity.prevSig ? fromBase64(stored.identity.prevSig) : null,
  };
  const shown = decodeIdentity(identity.record);
  const ours =
    shown.userId === userId &&
    shown.gen === keys.gen &&
    bytesEqual(shown.sigPub, keys.sigPub) &&
    bytesEqual(shown.kemPub, keys.kemPub);
  if (!ours) throw new CryptoError('OWN_IDENTITY_MISMATCH');
  const settingsKey = await primitives.hkdfSha256(masterKey, utf8(label('settings')), 32);
  return { userId, masterKey, keyring, keys, identity, settingsKey };
}

async function signIdentity(input: {
  userId: string;
  createdMs: number;
  kind: IdentityKind;
  keyring: Keyring;
  /** The one before; signed with its key where that is at hand. */
  record?: Uint8Array;
  signer?: SigningKey;
}): Promise<SignedIdentity> {
  const { userId, createdMs, kind, record: before, signer } = input;
  const keys = await importKeyring(input.keyring);
  const prevHash = before ? await primitives.sha256(before) : new Uint8Array(32);
  const { gen, sigPub, kemPub } = keys;
  const record = encodeIdentity({ userId, gen, createdMs, kind, sigPub, kemPub, prevHash });
  const selfSig = await primitives.sign(keys.signer, record);
  return { record, selfSig, prevSig: signer ? await primitives.sign(signer, record) : null };
}

function masterKeyContext({ userId, lock }: { userId: string; lock: Lock }): Bytes {
  return new Writer().label('mk').id(userId).text(lock).end();
}

async function wrapMasterKey(kek: SealKey, at: { userId: string; lock: Lock }, masterKey: Uint8Array): Promise<string> {
  return toBase64(await seal(kek, masterKeyContext(at), masterKey));
}

async function unwrapMasterKey(kek: SealKey, at: { userId: string; lock: Lock }, wrapped: string): Promise<Bytes> {
  return open(kek, masterKeyContext(at), fromBase64(wrapped));
}

function settingsContext({ userId, version }: { userId: string; version: number }): Bytes {
  return new Writer().label('settings').id(userId).u32(version).end();
}
