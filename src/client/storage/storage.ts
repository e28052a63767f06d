/**
 * Owns the interface to what a device keeps. Nothing readable is given to it: values are sealed under the device key,
 * or are that key itself, as an object of the platform that can be stored and used but not read.
 */

/** `device`: the key and who it belongs to. `sealed`: own keys, epoch keys, pins, identities, names. `outbox`: unsent messages, by id. `files`: sealed pieces of theirs. */
export const TABLES = ['device', 'sealed', 'outbox', 'files'] as const;
export type Table = (typeof TABLES)[number];

export interface Storage {
  /** False when nothing in it outlives this very chat, so that what is only kept for later need not be kept. */
  readonly lasting: boolean;
  get(table: Table, key: string): Promise<unknown>;
  /** In the order of the keys. */
  entries(table: Table): Promise<[key: string, value: unknown][]>;
  /** In their order. */
  keys(table: Table): Promise<string[]>;
  put(table: Table, key: string, value: unknown): Promise<void>;
  delete(table: Table, key: string): Promise<void>;
  /** Everything, as log-out does it. */
  wipe(): Promise<void>;
  close(): Promise<void>;
}
