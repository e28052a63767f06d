/** A browser: the keyring in a worker, so that opening a page of messages never holds up a frame. */
import { proxy, wrap } from 'comlink';
import type { Platform } from './platform.types.ts';
import './worker/error-transfer.ts';
import type { KeyringWorker } from './worker/main.ts';
import type { KeyringService } from './worker/service.ts';

export const platform: Platform = {
  session: 'cookie',
  WebSocket: globalThis.WebSocket,

  async startKeyring(directory) {
    const worker = new Worker(new URL('./worker/main.ts', import.meta.url), { type: 'module', name: 'parley-keyring' });
    const remote = wrap<KeyringWorker>(worker);
    await remote.start(proxy(directory));
    const keyring = new Proxy({} as KeyringService, {
      // A promise is recognised by its `then`: this object is none.
      get: (_, name) =>
        name === 'then' ? undefined : (...args: never[]) => remote.call(name as keyof KeyringService, args as never),
    });
    return { keyring, close: () => worker.terminate() };
  },

  exclusively: (name, task) =>
    'locks' in navigator ? (navigator.locks.request(name, task) as ReturnType<typeof task>) : task(),
};
