/** What the clients know for certain: what they tried, what was acknowledged, what they saw. The checks compare it with the database. */
import type { Message, MessageSeen } from '#protocol/message';

export interface Attempted {
  readonly conversationId: string;
  readonly senderId: string;
  /** Every content that was ever sent for this message; the last one is what should stand. */
  readonly contents: string[];
  /** The last edit or delete had no certain outcome when the run ended: either may stand. */
  isOpen: boolean;
}

export class History {
  readonly attempted = new Map<string, Attempted>();
  /** Message id -> every seq that an answer named. */
  readonly acknowledged = new Map<string, Set<number>>();
  /** Calls that had to be repeated because the first try had no answer. */
  retries = 0;
  calls = 0;

  attempt(id: string, conversationId: string, senderId: string, content: string): Attempted {
    const known = this.attempted.get(id);
    if (known) {
      known.contents.push(content);
      return known;
    }
    const made: Attempted = { conversationId, senderId, contents: [content], isOpen: false };
    this.attempted.set(id, made);
    return made;
  }

  acknowledge({ id, seq }: Pick<MessageSeen, 'id' | 'seq'>): void {
    this.acknowledged.set(id, (this.acknowledged.get(id) ?? new Set()).add(seq));
  }
}

/** What one follower of the feed holds: the newest version of each message, by rule O2. */
export class Seen {
  readonly messages = new Map<string, Message>();
  resyncs = 0;
  /** Events that were known already: allowed on the wire, dropped by their version. */
  repeats = 0;

  apply(message: Message): void {
    const known = this.messages.get(message.id);
    if (known && known.version >= message.version) this.repeats += 1;
    else this.messages.set(message.id, message);
  }
}
