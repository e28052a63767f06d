/** Owns the memory of envelopes already opened: it notices the same message at two places, an older revision, or two of one. */
import { KeyringError } from './error.ts';

export interface Sighting {
  conversationId: string;
  messageId: string;
  seq: number;
  revision: number;
  /** base64 of the envelope's hash. */
  hash: string;
}

/** Messages remembered; some 200 bytes each. The oldest go first. */
const LIMIT = 50_000;

export class Seen {
  readonly #messages = new Map<string, Sighting>();
  /** By conversation, what the next message of mine names as its predecessor. */
  readonly #newest = new Map<string, Sighting>();

  /** Throws REPLAY, ROLLBACK or EQUIVOCATION. */
  check({ messageId, seq, revision, hash }: Sighting): void {
    const known = this.#messages.get(messageId);
    if (!known) return;
    if (known.seq !== seq) throw new KeyringError('REPLAY');
    if (revision < known.revision) throw new KeyringError('ROLLBACK');
    if (revision === known.revision && hash !== known.hash) throw new KeyringError('EQUIVOCATION');
  }

  note(sighting: Sighting): void {
    if (this.#messages.size >= LIMIT) {
      const oldest = this.#messages.keys().next();
      if (!oldest.done) this.#messages.delete(oldest.value);
    }
    this.#messages.set(sighting.messageId, sighting);
    const newest = this.#newest.get(sighting.conversationId);
    if (!newest || newest.seq <= sighting.seq) this.#newest.set(sighting.conversationId, sighting);
  }

  message(messageId: string): Sighting | undefined {
    return this.#messages.get(messageId);
  }

  newest(conversationId: string): Sighting | undefined {
    return this.#newest.get(conversationId);
  }

  forget(): void {
    this.#messages.clear();
    this.#newest.clear();
  }
}
