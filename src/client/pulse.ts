/**
 * Owns whether a socket is alive: asked when it has been silent, when the device has slept, when the network has changed. A
 * socket whose network went away says nothing at all, for minutes; so silence after a question is the end of it.
 */

/** Proxies cut what is silent for a minute; the server asks every 25 s, we ask a little more often. */
const SILENCE_MS = 20_000;
const TICK_MS = 5_000;
/** A tick later than this: the device has slept, or the tab was held back. Asking costs next to nothing. */
const LATE_MS = 5_000;
const ANSWER_MS = 4_000;

export class Pulse {
  readonly #socket: WebSocket;
  readonly #onDead: () => void;
  readonly #ticking: ReturnType<typeof setInterval>;
  #tickedAt = Date.now();
  #heardAt = Date.now();
  #deadline: ReturnType<typeof setTimeout> | undefined;

  /** Of an open socket. */
  constructor(socket: WebSocket, onDead: () => void) {
    this.#socket = socket;
    this.#onDead = onDead;
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
    socket.addEventListener('message', () => {
      this.#heardAt = Date.now();
      clearTimeout(this.#deadline);
      this.#deadline = undefined;
    });
    socket.addEventListener('close', () => this.stop());
  }

  /** Asks; whoever does not answer within seconds is dead. */
  probe(): void {
    if (this.#deadline !== undefined || this.#socket.readyState !== this.#socket.OPEN) return;
    // tRPC's own question, which its server answers by itself.
    this.#socket.send('PING');
    this.#deadline = setTimeout(() => {
      this.stop();
      this.#onDead();
    }, ANSWER_MS);
  }

  stop(): void {
    clearInterval(this.#ticking);
    clearTimeout(this.#deadline);
  }

  #tick(): void {
    const now = Date.now();
    const isLate = now - this.#tickedAt > TICK_MS + LATE_MS;
    this.#tickedAt = now;
    if (isLate || now - this.#heardAt > SILENCE_MS) this.probe();
  }
}
