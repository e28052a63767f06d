/** Owns what this device remembers between page loads: everything sealed under one key that can be used but not read. */
import { fromUtf8, generateSealKey, open, type SealKey, seal, utf8 } from '#crypto/index';
import type { Storage } from '../storage/storage.ts';
import { KeyringError } from './error.ts';

const KEY = 'key';
const OWNER = 'owner';

export class Device {
  readonly #storage: Storage;
  #key: SealKey | undefined;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  get lasting(): boolean {
    return this.#storage.lasting;
  }

  /** Whose keys are stored here, if any. */
  async owner(): Promise<string | undefined> {
    const owner = await this.#storage.get('device', OWNER);
    this.#key = (await this.#storage.get('device', KEY)) as SealKey | undefined;
    return this.#key && typeof owner === 'string' ? owner : undefined;
  }

  /** Makes a fresh key for this person; what another one left is wiped. */
  async claim(userId: string): Promise<void> {
    if ((await this.owner()) === userId) return;
    await this.#storage.wipe();
    this.#key = await generateSealKey();
    await this.#storage.put('device', KEY, this.#key);
    await this.#storage.put('device', OWNER, userId);
  }

  /** Objects of the platform that cannot be read, such as a signing key. */
  async putKey(name: string, key: unknown): Promise<void> {
    await this.#storage.put('device', name, key);
  }

  async getKey(name: string): Promise<unknown> {
    return this.#storage.get('device', name);
  }

  async deleteKey(name: string): Promise<void> {
    await this.#storage.delete('device', name);
  }

  async put(table: 'sealed' | 'outbox', name: string, value: unknown): Promise<void> {
    const sealed = await seal(this.#unlocked(), utf8(`${table}/${name}`), utf8(JSON.stringify(value)));
    await this.#storage.put(table, name, sealed);
  }

  async get(table: 'sealed' | 'outbox', name: string): Promise<unknown> {
    const sealed = await this.#storage.get(table, name);
    return sealed === undefined ? undefined : this.#open(table, name, sealed);
  }

  /** Without what another key has sealed: a page that had not heard of the log-out may have left it. */
  async all(table: 'sealed' | 'outbox'): Promise<unknown[]> {
    const entries = await this.#storage.entries(table);
    const opened = await Promise.allSettled(entries.map(([name, sealed]) => this.#open(table, name, sealed)));
    return opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  async names(table: 'sealed' | 'outbox'): Promise<string[]> {
    return this.#storage.keys(table);
  }

  async delete(table: 'sealed' | 'outbox', name: string): Promise<void> {
    await this.#storage.delete(table, name);
  }

  /** A sealed piece of a file: as it is, for it needs no further seal. */
  async keepPiece(name: string, piece: Uint8Array): Promise<void> {
    await this.#storage.put('files', name, piece);
  }

  async piece(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return (await this.#storage.get('files', name)) as Uint8Array<ArrayBuffer> | undefined;
  }

  async dropPieces(which: (name: string) => boolean): Promise<void> {
    for (const name of await this.#storage.keys('files')) if (which(name)) await this.#storage.delete('files', name);
  }

  async wipe(): Promise<void> {
    this.#key = undefined;
    await this.#storage.wipe();
  }

  async #open(table: string, name: string, sealed: unknown): Promise<unknown> {
    if (!(sealed instanceof Uint8Array)) throw new KeyringError('LOCKED', 'the storage was changed from outside');
    return JSON.parse(fromUtf8(await open(this.#unlocked(), utf8(`${table}/${name}`), sealed)));
  }

  #unlocked(): SealKey {
    if (!this.#key) throw new KeyringError('LOCKED');
    return this.#key;
  }
}
