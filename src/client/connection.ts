/** Owns the one WebSocket: when it is there, what it says about itself, and how it comes back. */
import { createWSClient, type TRPCWebSocketClient } from '@trpc/client';
import { platform } from '#client/platform';
import { CLOSE } from '#protocol/close-codes';
import { reconnectMs, sleep } from './backoff.ts';
import { SdkError } from './errors.ts';
import { Pulse } from './pulse.ts';
import type { ConnectionState } from './types.ts';

/** For the token, and again for the handshake: networks that swallow everything do not refuse, they are silent. */
const PATIENCE_MS = 10_000;

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
  readonly #sockets = new Set<Socket>();
  #client: TRPCWebSocketClient | undefined;
  #state: ConnectionState = { status: 'offline' };
  #lostAt: number | null = null;
  #awayMs = 0;
  #waiting: (() => void)[] = [];
  /** How often in a row it has failed; null for the very first, which waits for nothing. */
  #attempt: number | null = null;
  /** Ends the waiting for the next attempt, while there is one. */
  #turn: AbortController | undefined;
  /** Somebody is in a hurry, and an attempt was under way: the one after it waits for nothing. */
  #isEager = false;
  /** Ends this run, from `start` to `stop`. */
  #end = new AbortController();
  #stopListening: (() => void) | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get client(): TRPCWebSocketClient | undefined {
    return this.#client;
  }

  get isOnline(): boolean {
    return this.#state.status === 'online';
  }

  /** How long the last absence lasted. */
  get awayMs(): number {
    return this.#awayMs;
  }

  start(): void {
    if (this.#client) return;
    this.#attempt = null;
    this.#end = new AbortController();
    const { signal } = this.#end;
    this.#set({ status: 'connecting' });
    const client = createWSClient({
      // Asked at the beginning of each attempt, and waited for: so the waiting is ours, and can be cut short.
      url: () => this.#place(signal),
      WebSocket: this.#socketClass(),
      connectionParams: async () => ({ token: await this.#options.token() }),
      retryDelayMs: (attempt) => {
        this.#attempt = attempt;
        return 0;
      },
      onClose: (cause) => {
        if (cause?.code === CLOSE.unauthorized) this.#options.onRefused();
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
    this.#stopListening = platform.onChange(() => this.#check());
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#stopListening?.();
    this.#set({ status: 'offline' });
    this.#lostAt = null;
    this.#end.abort();
    this.#turn?.abort();
    // It waits for answers that may never come.
    void client?.close();
    for (const resolve of this.#waiting.splice(0)) resolve();
    for (const socket of this.#sockets) socket.end();
  }

  /** Now, instead of waiting for the next attempt. One that hangs is given up for a fresh one. */
  hurry(): void {
    if (this.#turn) this.#turn.abort();
    else this.#isEager = !this.isOnline;
    for (const socket of this.#sockets) if (socket.isLate) socket.end();
  }

  /** Resolves once there is a socket, and at the end: whoever waited for somebody who has left looks at his signal. */
  whenOnline(signal: AbortSignal): Promise<void> {
    if (this.isOnline || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The network has come or gone, or somebody is looking again. */
  #check(): void {
    if (platform.hasNetwork) this.hurry();
    // What has been connected all the time is asked whether it still is.
    for (const socket of this.#sockets) socket.probe();
    if (!this.isOnline && !platform.hasNetwork) this.#set({ status: 'offline' });
  }

  /** What comes before each attempt: the waiting, and a token. */
  async #place(signal: AbortSignal): Promise<string> {
    if (this.#attempt !== null) await this.rest(this.#attempt);
    if (signal.aborted) throw new SdkError('CLOSED', 'not_signed_in');
    if (!this.isOnline && platform.hasNetwork) this.#set({ status: 'connecting' });
    // Before the socket: one that has to renew its token first would be late for the server's deadline.
    await inTime(this.#options.token());
    return `${this.#options.url.replace(/^http/, 'ws')}/trpc`;
  }

  /** Until the next attempt, or until there is a reason to try at once. */
  async rest(attempt: number): Promise<void> {
    const ms = this.#isEager ? 0 : reconnectMs(attempt);
    this.#isEager = false;
    const turn = new AbortController();
    this.#turn = turn;
    const stopListening = platform.onChange(() => platform.hasNetwork && this.hurry());
    // A server that moves us on keeps the old socket open until the new one is there.
    if (!this.isOnline) {
      this.#set(platform.hasNetwork ? { status: 'waiting', retryAt: Date.now() + ms } : { status: 'offline' });
    }
    await sleep(ms, turn.signal);
    this.#turn = undefined;
    stopListening();
  }

  #set(state: ConnectionState): void {
    const before = this.#state;
    this.#state = state;
    if (before.status === 'online') this.#lostAt = Date.now();
    if (state.status === 'online') {
      if (this.#lostAt !== null) this.#awayMs = Date.now() - this.#lostAt;
      this.#lostAt = null;
      this.#isEager = false;
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
    if (before.status !== state.status || state.status === 'waiting') this.#options.onState(state);
  }

  /** The platform's sockets, each known here from its first moment, because tRPC gives none away before it is open. */
  #socketClass(): typeof WebSocket {
    const sockets = this.#sockets;
    return class extends platform.WebSocket {
      constructor(url: string | URL) {
        super(url);
        const socket = new Socket(this);
        sockets.add(socket);
        this.addEventListener('close', () => sockets.delete(socket));
      }
    };
  }
}

/** One attempt and what became of it. */
class Socket {
  readonly #raw: WebSocket;
  readonly #startedAt = Date.now();
  readonly #deadline: ReturnType<typeof setTimeout>;
  #pulse: Pulse | undefined;

  constructor(raw: WebSocket) {
    this.#raw = raw;
    this.#deadline = setTimeout(() => this.end(), PATIENCE_MS);
    raw.addEventListener('open', () => {
      clearTimeout(this.#deadline);
      this.#pulse = new Pulse(raw, () => this.end());
    });
    raw.addEventListener('close', () => clearTimeout(this.#deadline));
  }

  /** Still not open, after a time in which others are. */
  get isLate(): boolean {
    return this.#raw.readyState === this.#raw.CONNECTING && Date.now() - this.#startedAt > 1_000;
  }

  probe(): void {
    this.#pulse?.probe();
  }

  end(): void {
    clearTimeout(this.#deadline);
    this.#pulse?.stop();
    platform.abandon(this.#raw);
  }
}

function inTime<T>(task: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SdkError('TIMEOUT', 'timeout')), PATIENCE_MS);
  });
  return Promise.race([task, late]).finally(() => clearTimeout(timer));
}
