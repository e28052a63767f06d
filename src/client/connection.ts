/** Owns the one WebSocket: when it is there, what it says about itself, and how it comes back. */
import { createWSClient, type TRPCWebSocketClient } from '@trpc/client';
import { platform } from '#client/platform';
import { CLOSE } from '#protocol/close-codes';
import { backoffMs } from './backoff.ts';
import type { ConnectionState } from './types.ts';

/** Proxies cut what is silent for a minute; the server asks every 25 s, we ask a little more often. */
const KEEP_ALIVE = { enabled: true, intervalMs: 20_000, pongTimeoutMs: 10_000 };

export interface ConnectionOptions {
  url: string;
  /** A token that is valid now; asked for at each attempt. Throws when there is none to be had. */
  token(): Promise<string>;
  onState(state: ConnectionState): void;
  /** The server refuses the token this socket came with. */
  onRefused(): void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  #client: TRPCWebSocketClient | undefined;
  #state: ConnectionState = { status: 'offline' };
  #waiting: (() => void)[] = [];

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get client(): TRPCWebSocketClient | undefined {
    return this.#client;
  }

  get isOnline(): boolean {
    return this.#state.status === 'online';
  }

  start(): void {
    if (this.#client) return;
    const { url, token, onRefused } = this.#options;
    this.#set({ status: 'connecting' });
    const client = createWSClient({
      url: () => {
        // Asked at the beginning of each attempt.
        if (!this.isOnline) this.#set({ status: 'connecting' });
        return `${url.replace(/^http/, 'ws')}/trpc`;
      },
      WebSocket: platform.WebSocket,
      connectionParams: async () => ({ token: await token() }),
      keepAlive: KEEP_ALIVE,
      retryDelayMs: (attempt) => {
        const delay = backoffMs(attempt);
        // A server that moves us on keeps the old socket open until the new one is there.
        if (!this.isOnline) this.#set({ status: 'waiting', retryAt: Date.now() + delay });
        return delay;
      },
      onClose: (cause) => {
        if (cause?.code === CLOSE.unauthorized) onRefused();
      },
    });
    this.#client = client;
    client.connectionState.subscribe({
      next: ({ state }) => {
        if (client !== this.#client) return;
        if (state === 'pending') this.#set({ status: 'online' });
        else if (state === 'connecting' && this.isOnline) this.#set({ status: 'connecting' });
      },
    });
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#set({ status: 'offline' });
    // It waits for answers that may never come.
    void client?.close();
    client?.connection?.ws?.close();
  }

  /** Resolves once there is a socket; when the signal is aborted, too. */
  whenOnline(signal: AbortSignal): Promise<void> {
    if (this.isOnline || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.push(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #set(state: ConnectionState): void {
    const before = this.#state;
    this.#state = state;
    if (state.status === 'online') for (const resolve of this.#waiting.splice(0)) resolve();
    if (before.status !== state.status || state.status === 'waiting') this.#options.onState(state);
  }
}
