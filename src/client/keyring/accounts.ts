/** Owns my own keys while they are open: how they get here - registration, log-in, this device's memory - and what they can do. */
import {
  type Account,
  changePassword,
  type Cost,
  createAccount,
  derivePasswordSecrets,
  importKeyring,
  isBehind,
  type Keyring,
  type KemPrivateKey,
  newKdf,
  type PasswordChange,
  type PasswordSecrets,
  type Registration,
  type Rotatable,
  type SealKey,
  type SigningKey,
  unlockWithPassword,
} from '#crypto/index';
import { type Bytes, decodeIdentity, fingerprint, fromBase64, toBase64 } from '#crypto/verify';
import { must } from '#lib/must';
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
/** Of one generation: a page that is closed between the two writes leaves no record beside a key that is not its own. */
const signerOf = (gen: number) => `signer/${gen}`;
/** Where it was kept before it was kept by generation. */
const OLD_SIGNER = 'signer';
/** The same, of keys that were offered to the server. */
const NEXT = { remembered: 'account-next', signer: 'signer-next' };
/** Conversations may still be without keys for my newest ones. */
const UNROTATED = 'unrotated';

const newestOf = ({ gens }: Remembered): number => Math.max(...gens.map(({ gen }) => gen));

export class Accounts {
  readonly #device: Device;
  readonly #cost: Cost;
  #me: Me | undefined;
  #registering: Registration | undefined;
  #login: { password: string; kdf: Kdf; secrets: PasswordSecrets } | undefined;

  /** @param cost what stretching a password should cost today */
  constructor(device: Device, cost: Cost) {
    this.#device = device;
    this.#cost = cost;
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
    await this.adopt(this.#registering.account);
    this.#registering = undefined;
  }

  async prepareLogin(password: string, kdf: Kdf): Promise<string> {
    const secrets = await derivePasswordSecrets(password, kdf);
    this.#login = { password, kdf, secrets };
    return secrets.authSecret;
  }

  /** With the password that was prepared, while somebody waits: what it opens is not kept. */
  async open(userId: string, stored: StoredAccount): Promise<{ account: Account; kek: SealKey }> {
    if (!this.#login) throw new KeyringError('LOCKED');
    const { kek } = this.#login.secrets;
    return {
      account: await unlockWithPassword({ userId, kek, wrapped: stored.wrappedMasterKey.password, stored }),
      kek,
    };
  }

  /** Forgets the password and what came of it. */
  close(): void {
    this.#login = undefined;
  }

  /** @returns the same password under a lock of today, when the one of the server is older. */
  async finishLogin(userId: string, stored: StoredAccount): Promise<PasswordChange | null> {
    try {
      const { account } = await this.open(userId, stored);
      await this.adopt(account);
      const { password, kdf } = must(this.#login, 'it has just opened the account');
      return isBehind(kdf, this.#cost) ? await changePassword(account, password, newKdf(this.#cost)) : null;
    } finally {
      this.close();
    }
  }

  /** My id when this device remembers me, without any password. */
  async restore(): Promise<string | undefined> {
    const userId = await this.#device.owner();
    const kept = userId === undefined ? undefined : await this.remembered(userId);
    if (!kept) return undefined;
    const { gen, sigPub, kem, signer } = kept.keys;
    const own = await fingerprint(decodeIdentity(kept.identity.record));
    this.#me = { userId: kept.userId, gen, sigPub, fingerprint: own, signer, kem, settingsKey: kept.settingsKey };
    return userId;
  }

  /** As the device has it: keys for receiving, and the signing key as an object. No master key. */
  async remembered(userId: string): Promise<(Rotatable & { settingsKey: Bytes }) | undefined> {
    const kept = (await this.#device.get('sealed', REMEMBERED)) as Remembered | undefined;
    if (!kept) return undefined;
    const { gen } = must(kept.gens.at(-1), 'an account has keys');
    const signer = ((await this.#device.getKey(signerOf(gen))) ?? (await this.#device.getKey(OLD_SIGNER))) as
      | SigningKey
      | undefined;
    if (!signer) return undefined;
    const keyring: Keyring = kept.gens.map(({ gen, sigPub, kemSeed }) => ({
      gen,
      sigSeed: new Uint8Array(0),
      sigPub: fromBase64(sigPub),
      kemSeed: fromBase64(kemSeed),
    }));
    const keys = await importKeyring(keyring, signer);
    const identity = { record: fromBase64(kept.record), selfSig: new Uint8Array(0) };
    return { userId, keyring, keys, identity, settingsKey: fromBase64(kept.settingsKey) };
  }

  lock(): void {
    this.#me = undefined;
    this.#registering = undefined;
    this.#login = undefined;
  }

  /** Keeps what is about to be offered to the server, until it is known to have it. */
  async propose(account: Account): Promise<void> {
    await this.#device.delete('sealed', NEXT.remembered);
    await this.#device.putKey(NEXT.signer, account.keys.signer);
    await this.#device.put('sealed', NEXT.remembered, toRemembered(account));
  }

  /** The generation that not every conversation is known to have followed. */
  async unrotated(): Promise<number | null> {
    const gen = (await this.#device.get('sealed', UNROTATED)) as number | undefined;
    return gen ?? null;
  }

  async rotated(gen: number): Promise<void> {
    if ((await this.unrotated()) === gen) await this.#device.delete('sealed', UNROTATED);
  }

  async hasProposal(): Promise<boolean> {
    return (await this.#device.get('sealed', NEXT.remembered)) !== undefined;
  }

  /** Takes over what was offered, if the server's newest record of me says so. One that was not taken may be taken yet: it stays. */
  async settle(record: string): Promise<boolean> {
    const next = (await this.#device.get('sealed', NEXT.remembered)) as Remembered | undefined;
    const signer = await this.#device.getKey(NEXT.signer);
    if (next?.record !== record || !signer) return false;
    // First: a page that goes after this does it once more, one that goes without it would forget.
    await this.#device.put('sealed', UNROTATED, newestOf(next));
    await this.#keep(next, signer as SigningKey);
    await this.#device.delete('sealed', NEXT.remembered);
    await this.restore();
    return true;
  }

  /** These are my keys from now on. */
  async adopt(account: Account): Promise<void> {
    const { userId, keys, identity, settingsKey } = account;
    await this.#device.claim(userId);
    const remembered = toRemembered(account);
    const next = (await this.#device.get('sealed', NEXT.remembered)) as Remembered | undefined;
    if (next?.record === remembered.record) await this.#device.put('sealed', UNROTATED, newestOf(next));
    await this.#keep(remembered, keys.signer);
    await this.#device.delete('sealed', NEXT.remembered);
    const { gen, sigPub, signer, kem } = keys;
    const own = await fingerprint(decodeIdentity(identity.record));
    this.#me = { userId, gen, sigPub, fingerprint: own, signer, kem, settingsKey };
  }

  /** The key first: until the record names its generation nobody looks for it. */
  async #keep(next: Remembered, signer: SigningKey): Promise<void> {
    const { gen } = must(next.gens.at(-1), 'an account has keys');
    await this.#device.putKey(signerOf(gen), signer);
    await this.#device.put('sealed', REMEMBERED, next);
    for (const place of [OLD_SIGNER, ...next.gens.slice(0, -1).map((one) => signerOf(one.gen))])
      await this.#device.deleteKey(place);
  }
}

const toRemembered = ({ identity, keyring, settingsKey }: Account): Remembered => ({
  record: toBase64(identity.record),
  gens: keyring.map(({ gen, sigPub, kemSeed }) => ({ gen, sigPub: toBase64(sigPub), kemSeed: toBase64(kemSeed) })),
  settingsKey: toBase64(settingsKey),
});
