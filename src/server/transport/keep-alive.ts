/**
 * Quiet sockets are asked whether they are there; one that does not answer is gone. One timer goes round all of them: timers
 * of each socket's own would be moved by every frame, and weigh more than most of what is kept of it.
 */
import type { Socket } from './socket.ts';

export interface Patience {
  /** Proxies cut idle connections after 60 s. */
  readonly quietMs: number;
  readonly answerMs: number;
  /** In this time everybody is looked at once. */
  readonly roundMs: number;
}
const PATIENCE: Patience = { quietMs: 25_000, answerMs: 10_000, roundMs: 5_000 };
/** A few at a time: who came together is not asked together. */
const TURNS = 50;

export class KeepAlive {
  readonly #sockets: ReadonlySet<Socket>;
  readonly #patience: Patience;
  readonly #timer: NodeJS.Timeout;
  #round: SetIterator<Socket>;
  /** Of this round: sockets looked at, and turns. */
  #looked = 0;
  #turns = 0;

  constructor(sockets: ReadonlySet<Socket>, patience: Patience = PATIENCE) {
    this.#sockets = sockets;
    this.#patience = patience;
    this.#round = sockets.values();
    this.#timer = setInterval(() => this.#turn(), patience.roundMs / TURNS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #turn(): void {
    this.#turns += 1;
    const isLast = this.#turns === TURNS;
    const due = isLast ? Number.POSITIVE_INFINITY : (this.#sockets.size * this.#turns) / TURNS;
    for (; this.#looked < due; this.#looked++) {
      const { value: socket } = this.#round.next();
      if (!socket) break;
      socket.mindSilence(this.#patience);
    }
    if (!isLast) return;
    this.#round = this.#sockets.values();
    this.#looked = 0;
    this.#turns = 0;
  }
}
