/**
 * Writes messages: sends that arrive while a flight is on its way go out together with the next one, in one statement
 * (store-messages.ts), and are answered after its commit. A lone message waits for nobody.
 */
import { ParleyError } from '#protocol/errors';
import { isUniqueViolation, type Sql } from './client.ts';
import { type NewMessage, store, toVerdict, type Verdict } from './store-messages.ts';

interface Waiting {
  readonly message: NewMessage;
  readonly resolve: (verdict: Verdict) => void;
  readonly reject: (error: unknown) => void;
}

/** A statement on its way. */
interface Flight {
  readonly began: number;
  readonly conversations: ReadonlySet<string>;
}

/** Large enough to pay a flush's fixed costs once for many, small enough that no statement takes long. */
const MAX_BATCH = 200;
/** Beyond this the answer is "later" instead of a growing queue (P18). */
const MAX_WAITING = 10_000;
const MAX_WAITING_CHARACTERS = 32 * 1024 * 1024;
/** A flight that takes longer waits for a lock or for a slow disk: others need not wait for it. */
const LATE_MS = 10;

/** Too much waits to be written. */
export const overloaded = () => new ParleyError('TOO_MANY_REQUESTS', 'overloaded', { retryAfterMs: 1_000 });

export class Writer {
  /** Connections without a flight. */
  readonly #free: Sql[];
  readonly #flights = new Set<Flight>();
  #waiting: Waiting[] = [];
  /** Of all contents that wait. */
  #characters = 0;
  #departing = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param connections as many flights at a time; no conversation is in two of them */
  constructor(connections: readonly Sql[]) {
    this.#free = [...connections];
  }

  write(message: NewMessage): Promise<Verdict> {
    if (this.#waiting.length >= MAX_WAITING || this.#characters > MAX_WAITING_CHARACTERS)
      return Promise.reject(overloaded());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject });
      this.#characters += message.content.length;
      if (this.#departing) return;
      this.#departing = true;
      // Calls of the same tick join the first flight.
      queueMicrotask(() => {
        this.#departing = false;
        this.#depart();
      });
    });
  }

  /** One flight at a time is the least work for everybody, unless it is full or late. */
  #depart(): void {
    clearTimeout(this.#timer);
    while (this.#waiting.length > 0) {
      const wait = this.#waiting.length >= MAX_BATCH ? 0 : this.#untilLate();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#depart(), wait).unref();
        return;
      }
      const sql = this.#free.pop();
      if (!sql) return;
      const batch = this.#take();
      if (batch.length === 0) {
        this.#free.push(sql);
        return;
      }
      void this.#fly(sql, batch);
    }
  }

  #untilLate(): number {
    let wait = 0;
    for (const { began } of this.#flights) wait = Math.max(wait, Math.ceil(began + LATE_MS - performance.now()));
    return wait;
  }

  async #fly(sql: Sql, batch: Waiting[]): Promise<void> {
    const conversations = new Set(batch.map(({ message }) => message.conversationId));
    const flight = { began: performance.now(), conversations };
    this.#flights.add(flight);
    await this.#flush(sql, batch);
    this.#flights.delete(flight);
    this.#free.push(sql);
    this.#depart();
  }

  /** At most MAX_BATCH, and no id twice, of a message or an attachment: a repeat has to find its first use stored. */
  #take(): Waiting[] {
    const ids = new Set<string>();
    const batch: Waiting[] = [];
    const later: Waiting[] = [];
    for (const one of this.#waiting) {
      const { id, attachmentIds, conversationId, content } = one.message;
      const isNext = batch.length < MAX_BATCH && !this.isWriting(conversationId);
      if (!isNext || ids.has(id) || attachmentIds.some((each) => ids.has(each))) {
        later.push(one);
        continue;
      }
      ids.add(id);
      for (const each of attachmentIds) ids.add(each);
      batch.push(one);
      this.#characters -= content.length;
    }
    this.#waiting = later;
    return batch;
  }

  /** Whether a message of this conversation is under way. */
  isWriting(conversationId: string): boolean {
    for (const { conversations } of this.#flights) if (conversations.has(conversationId)) return true;
    return false;
  }

  async #flush(sql: Sql, batch: Waiting[]): Promise<void> {
    try {
      const rows = await store(
        sql,
        batch.map(({ message }) => message),
      );
      const spoken = new Map<string, number>();
      for (const row of rows) {
        const one = batch[row.ord - 1];
        if (one) one.resolve(after(toVerdict(row), one.message, spoken));
      }
    } catch (error) {
      // The same id written by another node at the same moment: one row must not fail its neighbours.
      const [only] = batch;
      if (batch.length === 1 && only) {
        if (isUniqueViolation(error)) return this.#retry(sql, only);
        return only.reject(error);
      }
      if (!isUniqueViolation(error)) return batch.forEach(({ reject }) => reject(error));
      for (const one of batch) await this.#flush(sql, [one]);
    }
  }

  async #retry(sql: Sql, one: Waiting): Promise<void> {
    try {
      const [row] = await store(sql, [one.message]);
      if (row) one.resolve(toVerdict(row));
    } catch (error) {
      one.reject(error);
    }
  }
}

/** Of several by one person in a batch only the first follows the watermark of before. */
function after(verdict: Verdict, { conversationId, senderId }: NewMessage, spoken: Map<string, number>): Verdict {
  if (verdict.kind !== 'stored') return verdict;
  const key = `${conversationId}/${senderId}`;
  const readBefore = spoken.get(key) ?? verdict.readBefore;
  spoken.set(key, verdict.seq);
  return { ...verdict, readBefore };
}
