/** Owns telling how far I have come: delivered by itself, read when the screen says so, few calls for many messages. */
import type { Context } from './context.ts';
import { inSdkWords, isUndecided } from './errors.ts';
import { backoffMs, sleep } from './backoff.ts';
import { myId } from './state/shape.ts';

/** Waits for the rest of a burst. Well below what one notices between a message and its tick. */
const GATHER_MS = 80;
/** Calls at a time, after a long absence. */
const AT_ONCE = 8;

interface Marks {
  deliveredSeq: number;
  readSeq: number;
}

export class Receipts {
  readonly #context: Context;
  /** Not told yet. */
  readonly #pending = new Map<string, Marks>();
  readonly #told = new Map<string, Marks>();
  #flushing = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Everything I hold of these conversations has been delivered. */
  delivered(conversationIds: Iterable<string>): void {
    const { state } = this.#context.store;
    const me = myId(state);
    for (const id of conversationIds) {
      const conversation = state.conversations[id];
      const mine = conversation?.participants.find(({ user }) => user.id === me);
      if (!conversation || !mine) continue;
      if (conversation.lastSeq > mine.deliveredSeq) this.#note(id, { deliveredSeq: conversation.lastSeq, readSeq: 0 });
    }
  }

  /** Shown at once; told to the server soon. */
  read(conversationId: string, seq: number): void {
    const { store } = this.#context;
    const conversation = store.state.conversations[conversationId];
    const userId = myId(store.state);
    if (!conversation || userId === null || seq <= conversation.myReadSeq) return;
    const readSeq = Math.min(seq, conversation.lastSeq);
    store.apply({ type: 'receipt', conversationId, userIds: [userId], deliveredSeq: readSeq, readSeq });
    this.#note(conversationId, { deliveredSeq: readSeq, readSeq });
  }

  #note(conversationId: string, marks: Marks): void {
    const told = this.#told.get(conversationId) ?? NOTHING;
    if (marks.deliveredSeq <= told.deliveredSeq && marks.readSeq <= told.readSeq) return;
    this.#pending.set(conversationId, highest(this.#pending.get(conversationId) ?? NOTHING, marks));
    if (!this.#flushing) void this.#flush();
  }

  async #flush(): Promise<void> {
    const { signal, connection } = this.#context;
    this.#flushing = true;
    for (let attempt = 0; this.#pending.size > 0 && !signal.aborted; ) {
      await sleep(GATHER_MS, signal);
      await connection.whenOnline(signal);
      const batch = [...this.#pending].slice(0, AT_ONCE);
      const results = await Promise.all(batch.map(([id, marks]) => this.#tell(id, marks)));
      attempt = results.every(Boolean) ? 0 : attempt + 1;
      if (attempt > 0) await sleep(backoffMs(attempt), signal);
    }
    this.#flushing = false;
  }

  /** False when it has to be told again. */
  async #tell(conversationId: string, marks: Marks): Promise<boolean> {
    const { api, signal } = this.#context;
    try {
      await inSdkWords(api.receipts.advance.mutate({ conversationId, ...marks }, { signal }));
      this.#told.set(conversationId, highest(this.#told.get(conversationId) ?? NOTHING, marks));
    } catch (error) {
      if (isUndecided(error)) return false;
      // I am not in it any more, or the like: nobody waits for this receipt.
    }
    if (this.#pending.get(conversationId) === marks) this.#pending.delete(conversationId);
    return true;
  }
}

const NOTHING: Marks = { deliveredSeq: 0, readSeq: 0 };
const highest = (a: Marks, b: Marks): Marks => ({
  deliveredSeq: Math.max(a.deliveredSeq, b.deliveredSeq),
  readSeq: Math.max(a.readSeq, b.readSeq),
});
