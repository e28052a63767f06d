/**
 * Messages that were just given to somebody who came back. At one version a message is the same for all who may see it, so
 * whoever comes back with him is given the very same object: read once, and its bytes made once (line.ts).
 */
import type { StoredMessage } from './stored-message.ts';

const MOST_BYTES = 8 * 1024 * 1024;

export class Recent {
  /** The oldest first. */
  readonly #events = new Map<string, StoredMessage>();
  #bytes = 0;

  /** Undefined unless it was given at this very version. */
  find(id: string, version: number): StoredMessage | undefined {
    const event = this.#events.get(id);
    return event?.version === version ? event : undefined;
  }

  keep(event: StoredMessage): void {
    this.#drop(event.id);
    this.#events.set(event.id, event);
    this.#bytes += event.json.length;
    for (const id of this.#events.keys()) {
      if (this.#bytes <= MOST_BYTES) return;
      this.#drop(id);
    }
  }

  #drop(id: string): void {
    const event = this.#events.get(id);
    if (!event) return;
    this.#events.delete(id);
    this.#bytes -= event.json.length;
  }
}
