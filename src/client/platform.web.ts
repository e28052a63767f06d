/** A browser: the keyring in a worker, so that opening a page of messages never holds up a frame. */
import { proxy, wrap } from 'comlink';
import { SdkError } from './errors.ts';
import type { Platform } from './platform.types.ts';
import './worker/error-transfer.ts';
import type { KeyringWorker } from './worker/main.ts';
import type { KeyringService } from './worker/service.ts';

/** All tabs of this origin: they share one database. */
const CHANNEL = 'parley';

export const platform: Platform = {
  session: 'cookie',
  WebSocket: globalThis.WebSocket,

  abandon(socket) {
    const { readyState } = socket;
    socket.close();
    // A browser reports this only after it has waited for the other side; one that never opened is reported as failed at once.
    if (readyState === socket.OPEN) socket.dispatchEvent(new CloseEvent('close', { code: 1006 }));
  },

  newEnd: () => new AbortController(),

  get hasNetwork() {
    return navigator.onLine;
  },

  onChange(listener) {
    const end = new AbortController();
    const { signal } = end;
    addEventListener('online', listener, { signal });
    addEventListener('offline', listener, { signal });
    addEventListener('pageshow', listener, { signal });
    const look = () => document.visibilityState === 'visible' && listener();
    document.addEventListener('visibilitychange', look, { signal });
    return () => end.abort();
  },

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

  // Not `fetch`: only this one tells how much has left.
  put(url, { headers, body, onProgress, signal, stallMs }) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const lost = () => reject(signal.aborted ? signal.reason : new SdkError('NETWORK', 'network'));
      let stall: ReturnType<typeof setTimeout>;
      const moved = () => {
        clearTimeout(stall);
        stall = setTimeout(() => request.abort(), stallMs);
      };
      const abort = () => request.abort();
      signal.addEventListener('abort', abort, { once: true });
      request.upload.onprogress = ({ loaded }) => {
        moved();
        onProgress(loaded);
      };
      request.onload = () => {
        const offset = request.getResponseHeader('upload-offset');
        resolve({ status: request.status, offset: offset === null ? null : Number(offset) });
      };
      request.onerror = lost;
      request.onabort = lost;
      request.onloadend = () => {
        clearTimeout(stall);
        signal.removeEventListener('abort', abort);
      };
      request.open('PUT', url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      moved();
      request.send(body);
    });
  },

  tabs() {
    const channel = new BroadcastChannel(CHANNEL);
    return {
      async exclusively(name, task, patienceMs) {
        if (!('locks' in navigator)) return task();
        // The lock's own promise would hide whether a rejection is the task's or that of an end of patience.
        let begun: ReturnType<typeof task> | undefined;
        const begin = () => (begun ??= task());
        const options = patienceMs === undefined ? {} : { signal: AbortSignal.timeout(patienceMs) };
        await navigator.locks.request(name, options, () => begin().catch(() => {})).catch(() => {});
        return begin();
      },
      tell: (word) => channel.postMessage(word),
      hear(listener) {
        const hear = ({ data }: MessageEvent) => listener(data);
        channel.addEventListener('message', hear);
        return () => channel.removeEventListener('message', hear);
      },
      close: () => channel.close(),
    };
  },
};
