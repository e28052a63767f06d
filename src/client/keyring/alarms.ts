/** Owns what no honest server does, once it has been noticed. It stays until the page or the program ends. */
import type { Alarm } from '../types.ts';

export class Alarms {
  readonly #raised = new Set<Alarm>();
  readonly #onRaised: () => void;

  constructor(onRaised: () => void) {
    this.#onRaised = onRaised;
  }

  get raised(): Alarm[] {
    return [...this.#raised];
  }

  raise(alarm: Alarm): void {
    if (this.#raised.has(alarm)) return;
    this.#raised.add(alarm);
    this.#onRaised();
  }

  forget(): void {
    this.#raised.clear();
  }
}
