/** Owns what differs between a browser and Node. package.json "imports" chooses `platform.web.ts` or `platform.node.ts`. */
import type { KeyDirectory } from './keyring/directory.ts';
import type { Storage } from './storage/storage.ts';
import type { KeyringHost } from './worker/service.ts';

/** The pages that share one storage: what one does alone, and what they tell each other. */
export interface Tabs {
  /**
   * One tab at a time; a tab that goes, however it goes, lets go. Who has waited `patienceMs` in vain goes ahead without: a page
   * that the system has put to sleep keeps what it holds.
   */
  exclusively<T>(name: string, task: () => Promise<T>, patienceMs?: number): Promise<T>;
  /** To all others, in the order of telling, without any promise that somebody hears it. */
  tell(word: unknown): void;
  /** Until the returned function is called. */
  hear(listener: (word: unknown) => void): () => void;
  close(): void;
}

export interface Put {
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
  /** Bytes of the body that have left, as far as the platform tells. */
  onProgress(sent: number): void;
  signal: AbortSignal;
  /** Given up when nothing has moved for this long. */
  stallMs: number;
}

export interface Platform {
  /** How sessions live: browsers in a cookie that scripts cannot read, programs with a token of their own. */
  readonly session: 'cookie' | 'token';
  readonly WebSocket: typeof WebSocket;
  /** Ends it at once, and its `close` event comes at once: the farewell of a dead connection would be waited for in vain. */
  abandon(socket: WebSocket): void;
  /** A signal that ends many things at once, which Node would take for a leak. */
  newEnd(): AbortController;
  /** False when the device says that it has no network. It may be wrong: what runs on this very machine is reachable. */
  readonly hasNetwork: boolean;
  /** The network comes or goes, or somebody looks at the page again. Until the returned function is called. */
  onChange(listener: () => void): () => void;
  /** `storage` is for programs; in a browser it is always IndexedDB, inside the worker. */
  startKeyring(directory: KeyDirectory, storage: Storage | undefined): Promise<KeyringHost>;
  tabs(storage: Storage | undefined): Tabs;
  /** One part of an upload; `offset` is what the server says it has now. Rejects with NETWORK, or with the reason of the signal. */
  put(url: string, put: Put): Promise<{ status: number; offset: number | null }>;
}
