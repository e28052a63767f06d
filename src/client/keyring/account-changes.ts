/**
 * Owns the changes of my account's locks and keys. Each is made here, offered to the server by the page, and taken over once the server
 * has it. The master key is in memory while a change is made and at no other time.
 */
import {
  type Account,
  changePassword,
  deriveRecoverySecrets,
  derivePasswordSecrets,
  type IdentityRotation,
  newKdf,
  newRecoveryLock,
  resetAccount,
  type Rotatable,
  rotateIdentity,
  type SealKey,
  unlockWithRecoveryKey,
} from '#crypto/index';
import { fromBase64, toBase64 } from '#crypto/verify';
import type { RecoverableAccount, ResettableAccount } from '#protocol/account';
import type { Account as StoredAccount } from '#protocol/auth';
import type { StoredSettings } from '#protocol/keys';
import type { Accounts } from './accounts.ts';
import { KeyringError } from './error.ts';

interface Parts {
  accounts: Accounts;
  /** What follows me from device to device, sealed anew under the next key. */
  resealSettings: (nextKey: Uint8Array) => Promise<StoredSettings | undefined>;
  /** Before anybody's keys are seen here for the first time. */
  takeSettings: (stored: StoredSettings | null) => Promise<void>;
}

export class AccountChanges {
  readonly #parts: Parts;
  #pending: { account: Account; settings: StoredSettings | null } | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The current password was prepared as for a log-in. */
  async changePassword(stored: StoredAccount, next: string) {
    return this.#opened(stored, ({ account }) => changePassword(account, next));
  }

  async newRecoveryKey(stored: StoredAccount) {
    return this.#opened(stored, ({ account }) => newRecoveryLock(account));
  }

  async rotate(stored: StoredAccount, createdMs: number) {
    return this.#opened(stored, ({ account, kek }) => this.#rotate(account, kek, createdMs));
  }

  /** Without the old password: this device can sign for the keys that are to be replaced. */
  async rotateHere(password: string, createdMs: number) {
    const { accounts } = this.#parts;
    const kept = await accounts.remembered(accounts.me.userId);
    if (!kept) throw new KeyringError('LOCKED');
    const kdf = newKdf();
    const { authSecret, kek } = await derivePasswordSecrets(password, kdf);
    const again = await derivePasswordSecrets(password, kdf);
    if (again.authSecret !== authSecret) throw new KeyringError('LOCKED', 'this device does not stretch reliably');
    const { body, recoveryKey } = await this.#rotate(kept, kek, createdMs);
    return { body: { ...body, password: authSecret, kdf }, recoveryKey };
  }

  /** What the server takes as a proof of the recovery key; it says nothing about the key. */
  async recoveryProof(recoveryKey: string): Promise<string> {
    return toBase64((await deriveRecoverySecrets(recoveryKey)).proof);
  }

  /** A recovery key is used once: with the new password comes a new one. */
  async recover(recoveryKey: string, stored: RecoverableAccount, password: string) {
    const wrapped = stored.wrappedMasterKey.recovery;
    const account = await unlockWithRecoveryKey({ userId: stored.userId, recoveryKey, wrapped, stored });
    const { authSecret, kdf, wrappedMasterKey } = await changePassword(account, password);
    const lock = await newRecoveryLock(account);
    this.#pending = { account, settings: stored.settings };
    return {
      body: {
        password: authSecret,
        kdf,
        wrappedMasterKey: { ...wrappedMasterKey, ...lock.wrappedMasterKey },
        recoveryVerifier: lock.recoveryVerifier,
      },
      recoveryKey: lock.recoveryKey,
    };
  }

  /** Keys that nothing vouches for. What was written so far cannot be read with them. */
  async reset({ userId, identity: before }: ResettableAccount, password: string, createdMs: number) {
    const record = fromBase64(before.record);
    const { authSecret, identity, recoveryKey, account } = await resetAccount({ userId, password, createdMs, record });
    const { record: next, selfSig, ...sealed } = identity;
    this.#pending = { account, settings: null };
    return { body: { password: authSecret, identity: { record: next, selfSig }, ...sealed }, recoveryKey };
  }

  /** After the server has taken it. */
  async finish(): Promise<void> {
    if (!this.#pending) throw new KeyringError('LOCKED');
    const { account, settings } = this.#pending;
    await this.#parts.accounts.adopt(account);
    this.#pending = undefined;
    if (settings) await this.#parts.takeSettings(settings);
  }

  forget(): void {
    this.#pending = undefined;
  }

  async #rotate(account: Rotatable, kek: SealKey, createdMs: number) {
    const { recoveryKey, account: next, ...rotation }: IdentityRotation = await rotateIdentity(account, kek, createdMs);
    const settings = await this.#parts.resealSettings(next.settingsKey);
    // The server may take it and the answer be lost, with this page or without it.
    await this.#parts.accounts.propose(next);
    this.#pending = { account: next, settings: null };
    return { body: { ...rotation, ...(settings && { settings }) }, recoveryKey };
  }

  async #opened<T>(
    stored: StoredAccount,
    change: (opened: { account: Account; kek: SealKey }) => Promise<T>,
  ): Promise<T> {
    const { accounts } = this.#parts;
    try {
      return await change(await accounts.open(accounts.me.userId, stored));
    } finally {
      accounts.close();
    }
  }
}
