/** The worker: a keyring on IndexedDB, offered to the page that started it. */
import { expose, transfer } from 'comlink';
import { loadHpke } from '#crypto/index';
import { type KeyDirectory } from '../keyring/directory.ts';
import { Keyring } from '../keyring/keyring.ts';
import { indexedDbStorage } from '../storage/indexeddb.ts';
import { memoryStorage } from '../storage/memory.ts';
import './error-transfer.ts';

export interface KeyringWorker {
  /** `directory` is a proxy to the page: only the page speaks with the server. */
  start(directory: KeyDirectory): Promise<void>;
  call<Name extends keyof Keyring>(name: Name, args: Parameters<Keyring[Name]>): Promise<unknown>;
}

let keyring: Keyring | undefined;

// Private windows of some browsers have no IndexedDB: then nothing outlives the page, and everything else works.
const storage = () => indexedDbStorage().catch(() => memoryStorage(false));

expose({
  async start(directory) {
    // Beside what the page does first; what it cannot get now is asked for again when it is needed.
    void loadHpke().catch(() => {});
    keyring = new Keyring(await storage(), directory);
  },
  async call(name, args) {
    if (!keyring) throw new TypeError('the keyring was not started');
    const result = await (keyring[name] as (...args: unknown[]) => Promise<unknown>).apply(keyring, args);
    // Pieces of files are megabytes: moved, not copied.
    return result instanceof Uint8Array ? transfer(result, [result.buffer]) : result;
  },
} satisfies KeyringWorker);
