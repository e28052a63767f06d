/** One writer for each file in this process: the newest wins, and begins when the one before has let go. */

export class Turns {
  readonly #running = new Map<string, { stop: AbortController; done: Promise<void> }>();

  /** Stops whoever is at it, waits until it is done, then works. The signal says that somebody newer waits. */
  async take<T>(id: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    // Of two who waited for the same, the second finds the first at it.
    while (this.#running.has(id)) await this.stop(id);
    const stop = new AbortController();
    const running = work(stop.signal);
    const done = running.then(
      () => {},
      () => {},
    );
    const turn = { stop, done };
    this.#running.set(id, turn);
    try {
      return await running;
    } finally {
      if (this.#running.get(id) === turn) this.#running.delete(id);
    }
  }

  isTaken(id: string): boolean {
    return this.#running.has(id);
  }

  async stop(id: string): Promise<void> {
    for (let turn = this.#running.get(id); turn; turn = this.#running.get(id)) {
      turn.stop.abort();
      await turn.done;
    }
  }

  /** At the end of the process. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((id) => this.stop(id)));
  }
}
