/**
 * Owns what messages say of each other: a new one names the newest that its sender had seen, an answer names what it answers, both by
 * their hash. Where that is not what is here, somebody was shown something else. Judges from memory alone; gaps.ts asks once more.
 */
import type { Message } from '#protocol/message';
import type { OpenedMessage } from './keyring/opener.ts';
import type { Doubt, Timeline } from './types.ts';

export interface Claim {
  conversationId: string;
  /** Whose claim it is. */
  messageId: string;
  seq: number;
  /** What it is about: the message at that place, or of that id. */
  about: { seq: number } | { id: string };
  hash: string;
}

/** A doubt may come from what is old here: `ask` is the message around which to look once more. */
export type Verdict = 'fine' | 'unknown' | { doubt: Doubt; ask: string };

type Place = Pick<Message, 'id' | 'seq'>;

interface Row {
  id: string;
  version: number;
  /** Of a message as it was first written; null when it is another one by now, or could not be verified: that says nothing. */
  hash: string | null;
}

interface Room {
  bySeq: Map<number, Row>;
  byId: Map<string, Row>;
  open: Map<string, Claim>;
}

/** Messages remembered. */
const LIMIT = 20_000;
/** Claims of one conversation about what has not been loaded. The oldest go first. */
const MOST_OPEN = 1_000;

export class Claims {
  readonly #rooms = new Map<string, Room>();
  #size = 0;

  note(
    { id, conversationId, seq, version, isEdited, isDeleted }: Message,
    { said }: Pick<OpenedMessage, 'said'>,
  ): void {
    const { bySeq, byId, open } = this.#room(conversationId);
    if ((byId.get(id)?.version ?? -1) <= version) {
      const row = { id, version, hash: said && !isEdited && !isDeleted ? said.hash : null };
      bySeq.set(seq, row);
      byId.set(id, row);
    }
    const { seen, answers } = said ?? {};
    const claim = { conversationId, messageId: id, seq };
    if (seen) open.set(`seen/${id}`, { ...claim, about: { seq: seen.seq }, hash: seen.hash });
    if (answers) open.set(`answers/${id}`, { ...claim, about: { id: answers.id }, hash: answers.hash });
    for (const key of open.keys()) {
      if (open.size <= MOST_OPEN) break;
      open.delete(key);
    }
  }

  open(conversationId: string): [key: string, claim: Claim][] {
    return [...(this.#rooms.get(conversationId)?.open ?? [])];
  }

  settle(key: string, { conversationId }: Claim): void {
    this.#rooms.get(conversationId)?.open.delete(key);
  }

  judge({ conversationId, messageId, seq, about, hash }: Claim, timeline: Timeline | undefined): Verdict {
    const room = this.#rooms.get(conversationId);
    if ('id' in about) return compare(room?.byId.get(about.id), hash, 'answer');
    // Nobody has seen what comes after his own message.
    if (about.seq >= seq) return { doubt: 'missing', ask: messageId };
    const row = room?.bySeq.get(about.seq);
    if (row) return compare(row, hash, 'other');
    const ask = timeline && besideHole(timeline, about.seq);
    return ask === undefined ? 'unknown' : { doubt: 'missing', ask };
  }

  /** Whether a page that was asked for because of a doubt, and is noted already, bears it out. Undefined when it does not say. */
  holds(claim: Claim, doubt: Doubt, page: readonly Place[], timeline: Timeline | undefined): boolean | undefined {
    const again = this.judge(claim, timeline);
    if (typeof again === 'string' || again.doubt !== doubt) return false;
    const { about, seq } = claim;
    if (doubt !== 'missing' || 'id' in about || about.seq >= seq) return true;
    // It has what is on both sides, and nothing between them.
    return page.some((one) => one.seq < about.seq) && page.some((one) => one.seq > about.seq) ? true : undefined;
  }

  #room(conversationId: string): Room {
    // Whatever is forgotten is not compared any more, and raises nothing.
    if (++this.#size > LIMIT) {
      this.#rooms.clear();
      this.#size = 0;
    }
    const room = this.#rooms.get(conversationId) ?? { bySeq: new Map(), byId: new Map(), open: new Map() };
    this.#rooms.set(conversationId, room);
    return room;
  }
}

function compare(row: Row | undefined, hash: string, doubt: Doubt): Verdict {
  if (!row) return 'unknown';
  return row.hash === null || row.hash === hash ? 'fine' : { doubt, ask: row.id };
}

/** The message after that place, when the loaded window goes from before it to after it and has nothing there. */
function besideHole({ ids, byId }: Timeline, seq: number): string | undefined {
  const seqOf = (id: string | undefined) => byId.get(id ?? '')?.seq ?? Number.POSITIVE_INFINITY;
  if (seqOf(ids[0]) >= seq) return undefined;
  const next = ids.find((id) => seqOf(id) >= seq);
  return next === undefined || seqOf(next) === seq ? undefined : next;
}
