/** Owns what differs between a browser and Node. package.json "imports" chooses `platform.web.ts` or `platform.node.ts`. */
import type { KeyDirectory } from './keyring/directory.ts';
import type { Storage } from './storage/storage.ts';
import type { KeyringHost } from './worker/service.ts';

export interface Platform {
  /** How sessions live: browsers in a cookie that scripts cannot read, programs with a token of their own. */
  readonly session: 'cookie' | 'token';
  readonly WebSocket: typeof WebSocket;
  /** `storage` is for programs; in a browser it is always IndexedDB, inside the worker. */
  startKeyring(directory: KeyDirectory, storage: Storage | undefined): Promise<KeyringHost>;
  /** Only one page of this origin at a time. */
  exclusively<T>(name: string, task: () => Promise<T>): Promise<T>;
}
