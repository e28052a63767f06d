/** Node: the keyring in this thread, a memory for storage unless another is given. */
import { setMaxListeners } from 'node:events';
import WebSocketOfNode from 'ws';
import { Serial } from '#lib/serial';
import { SdkError } from './errors.ts';
import { memoryStorage } from './storage/memory.ts';
import type { Storage } from './storage/storage.ts';
import type { Platform, Tabs } from './platform.types.ts';

export const platform: Platform = {
  session: 'token',
  WebSocket: WebSocketOfNode as unknown as typeof WebSocket,
  abandon: (socket) => (socket as unknown as WebSocketOfNode).terminate(),
  newEnd() {
    const end = new AbortController();
    setMaxListeners(0, end.signal);
    return end;
  },
  hasNetwork: true,
  onChange: () => () => {},
  async startKeyring(directory, storage) {
    // Argon2 and HPKE are loaded when somebody signs in, not with the SDK.
    const { Keyring } = await import('./keyring/keyring.ts');
    return { keyring: new Keyring(storage ?? memoryStorage(false), directory), close: () => {} };
  },
  // Progress comes with each part: nothing shows it, and a body as it is goes out fastest.
  async put(url, { headers, body, onProgress, signal, stallMs }) {
    // A part is a few megabytes: on any line that is worth the name it is through in ten times that.
    const limited = AbortSignal.any([signal, AbortSignal.timeout(10 * stallMs)]);
    const response = await fetch(url, { method: 'PUT', headers, body, signal: limited }).catch((cause: unknown) => {
      throw signal.aborted ? signal.reason : new SdkError('NETWORK', 'network', { cause });
    });
    await response.body?.cancel();
    onProgress(body.length);
    const offset = response.headers.get('upload-offset');
    return { status: response.status, offset: offset === null ? null : Number(offset) };
  },
  tabs: (storage) => (storage ? tabOn(storage) : ALONE),
};

/** A program with a storage of its own: nobody to wait for, nobody to tell. */
const ALONE: Tabs = { exclusively: (_, task) => task(), tell: () => {}, hear: () => () => {}, close: () => {} };

type Listener = (word: unknown) => void;
interface Shared {
  serial: Serial;
  tabs: Set<Set<Listener>>;
}
const shared = new WeakMap<Storage, Shared>();

/** Chats that were given the same storage are to each other what tabs are in a browser. */
function tabOn(storage: Storage): Tabs {
  const { serial, tabs } = shared.get(storage) ?? { serial: new Serial(), tabs: new Set() };
  shared.set(storage, { serial, tabs });
  const mine = new Set<Listener>();
  return {
    exclusively: (name, task) => serial.run(name, task),
    tell(word) {
      for (const tab of tabs) if (tab !== mine) for (const listener of tab) listener(structuredClone(word));
    },
    hear(listener) {
      mine.add(listener);
      tabs.add(mine);
      return () => {
        mine.delete(listener);
        if (mine.size === 0) tabs.delete(mine);
      };
    },
    close: () => tabs.delete(mine),
  };
}
