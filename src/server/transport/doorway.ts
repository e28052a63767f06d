/**
 * Admission of new sockets: a few at each turn of the event loop. Whoever is here already has his turn in between, however
 * many come (back) at once, and they come in as fast as the process can take them.
 */

const AT_A_TURN = 8;
/** Far more than one process serves. Who comes then is told to come later. */
export const MOST_WAITING = 20_000;

export class Doorway {
  readonly #waiting: (() => void)[] = [];

  /** @param open is called in its turn. @returns false when too many wait already */
  enter(open: () => void): boolean {
    if (this.#waiting.length >= MOST_WAITING) return false;
    if (this.#waiting.push(open) === 1) setImmediate(() => this.#turn());
    return true;
  }

  #turn(): void {
    const next = this.#waiting.splice(0, AT_A_TURN);
    if (this.#waiting.length > 0) setImmediate(() => this.#turn());
    for (const open of next) open();
  }
}
