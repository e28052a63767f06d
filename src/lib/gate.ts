/** Lets so many tasks run at once and so many wait; the rest is refused at once, so that a flood cannot grow a queue. */
export class GateFull extends Error {
  constructor() {
    super('too many tasks are waiting');
    this.name = 'GateFull';
  }
}

export class Gate {
  readonly #width: number;
  readonly #queue: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number, queue: number) {
    this.#width = width;
    this.#queue = queue;
  }

  /** @throws GateFull */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running < this.#width) this.#running++;
    else if (this.#waiting.length >= this.#queue) throw new GateFull();
    // Whoever leaves hands his place over, so it is never counted down in between.
    else await new Promise<void>((enter) => this.#waiting.push(enter));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
