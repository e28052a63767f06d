/** Owns my own keys while they are open: how they get here - registration, log-in, this device's memory - and what they can do. */
import {
  type Account,
  createAccount,
  derivePasswordSecrets,
  importKeyring,
  type Keyring,
  type KemPrivateKey,
  type PasswordSecrets,
  type Registration,
  type SigningKey,
  unlockWithPassword,
} from '#crypto/index';
import { type Bytes, decodeIdentity, fingerprint, fromBase64, toBase64 } from '#crypto/verify';
import type { Account as StoredAccount } from '#protocol/auth';
import type { Kdf } from '#protocol/keys';
import type { Device } from './device.ts';
import { KeyringError } from './error.ts';

/** What signing, wrapping and unwrapping need of me. The master key is not among it. */
export interface Me {
  userId: string;
  gen: number;
  sigPub: Bytes;
  fingerprint: Bytes;
  signer: SigningKey;
  kem: ReadonlyMap<number, KemPrivateKey>;
  /** Seals what follows the person from device to device. */
  settingsKey: Bytes;
}

/** Sealed under the device key. No signing seed: the signing key lies beside it as an object that cannot be read. */
interface Remembered {
  record: string;
  gens: { gen: number; sigPub: string; kemSeed: string }[];
  settingsKey: string;
}

const REMEMBERED = 'account';
const SIGNER = 'signer';

export class Accounts {
  readonly #device: Device;
  #me: Me | undefined;
  #registering: Registration | undefined;
  #secrets: PasswordSecrets | undefined;

  constructor(device: Device) {
    this.#device = device;
  }

  get me(): Me {
    if (!this.#me) throw new KeyringError('LOCKED');
    return this.#me;
  }

  async register(input: { userId: string; password: string; createdMs: number }) {
    this.#registering = await createAccount(input);
    const { authSecret, identity, recoveryKey } = this.#registering;
    return { authSecret, identity, recoveryKey };
  }

  /** After the server has taken the registration. */
  async finishRegistration(): Promise<void> {
    if (!this.#registering) throw new KeyringError('LOCKED');
    await this.#adopt(this.#registering.account);
    this.#registering = undefined;
  }

  async prepareLogin(password: string, kdf: Kdf): Promise<string> {
    this.#secrets = await derivePasswordSecrets(password, kdf);
    return this.#secrets.authSecret;
  }

  async finishLogin(userId: string, stored: StoredAccount): Promise<void> {
    if (!this.#secrets) throw new KeyringError('LOCKED');
    const { kek } = this.#secrets;
    const wrapped = stored.wrappedMasterKey.password;
    await this.#adopt(await unlockWithPassword({ userId, kek, wrapped, stored }));
    this.#secrets = undefined;
  }

  /** My id when this device remembers me, without any password. */
  async restore(): Promise<string | undefined> {
    const userId = await this.#device.owner();
    const signer = (await this.#device.getKey(SIGNER)) as SigningKey | undefined;
    if (userId === undefined || !signer) return undefined;
    const remembered = (await this.#device.get('sealed', REMEMBERED)) as Remembered | undefined;
    if (!remembered) return undefined;
    const keyring: Keyring = remembered.gens.map(({ gen, sigPub, kemSeed }) => ({
      gen,
      sigSeed: new Uint8Array(0),
      sigPub: fromBase64(sigPub),
      kemSeed: fromBase64(kemSeed),
    }));
    const { gen, sigPub, kem } = await importKeyring(keyring, signer);
    const own = await fingerprint(decodeIdentity(fromBase64(remembered.record)));
    const settingsKey = fromBase64(remembered.settingsKey);
    this.#me = { userId, gen, sigPub, fingerprint: own, signer, kem, settingsKey };
    return userId;
  }

  lock(): void {
    this.#me = undefined;
    this.#registering = undefined;
    this.#secrets = undefined;
  }

  async #adopt(account: Account): Promise<void> {
    const { userId, keys, identity, settingsKey } = account;
    await this.#device.claim(userId);
    const remembered: Remembered = {
      record: toBase64(identity.record),
      gens: account.keyring.map(({ gen, sigPub, kemSeed }) => ({
        gen,
        sigPub: toBase64(sigPub),
        kemSeed: toBase64(kemSeed),
      })),
      settingsKey: toBase64(settingsKey),
    };
    await this.#device.put('sealed', REMEMBERED, remembered);
    await this.#device.putKey(SIGNER, keys.signer);
    const { gen, sigPub, signer, kem } = keys;
    const own = await fingerprint(decodeIdentity(identity.record));
    this.#me = { userId, gen, sigPub, fingerprint: own, signer, kem, settingsKey };
  }
}
