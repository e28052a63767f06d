/** Owns the shape in which the SDK sees the keyring: the same methods, whether it runs here or in a worker. */
import type { Keyring } from '../keyring/keyring.ts';

export type KeyringService = Pick<Keyring, keyof Keyring>;

export interface KeyringHost {
  keyring: KeyringService;
  close(): void;
}
