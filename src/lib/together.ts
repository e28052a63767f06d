/** Questions of one kind that many ask at once: what is asked while an answer is on its way goes together with the next. */

interface Asked<K, V> {
  readonly key: K;
  readonly resolve: (answer: V) => void;
  readonly reject: (error: unknown) => void;
}

export class Together<K, V> {
  readonly #answer: (keys: K[]) => Promise<ReadonlyMap<K, V>>;
  readonly #most: number;
  #waiting: Asked<K, V>[] = [];
  #busy = false;

  /** @param answer begins after everything that it is asked for; a key it leaves out is an error of whoever asked for it */
  constructor(answer: (keys: K[]) => Promise<ReadonlyMap<K, V>>, most = 500) {
    this.#answer = answer;
    this.#most = most;
  }

  /** The first one waits for nobody but the others of its tick. */
  ask(key: K): Promise<V> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      if (!this.#busy) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#round(this.#waiting.splice(0, this.#most));
    this.#busy = false;
  }

  async #round(asked: Asked<K, V>[]): Promise<void> {
    try {
      const answers = await this.#answer([...new Set(asked.map(({ key }) => key))]);
      for (const { key, resolve, reject } of asked) {
        const answer = answers.get(key);
        if (answer === undefined) reject(new Error('a question was left without an answer'));
        else resolve(answer);
      }
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
