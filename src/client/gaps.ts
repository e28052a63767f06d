/**
 * Owns the doubts about what the server has left out or exchanged: when a message says something of another that is not so here,
 * the server is asked once more, and if it stays so, the message says that it does.
 */
import type { Message } from '#protocol/message';
import { backoffMs, sleep } from './backoff.ts';
import { type Claim, Claims, type Verdict } from './claims.ts';
import type { Context } from './context.ts';
import type { OpenedMessage } from './keyring/opener.ts';
import { openMessages } from './opening.ts';
import type { Doubt, MessageView } from './types.ts';

/** What has just come is put into its place first; mostly nothing is left to be asked then. */
const LOOK_MS = 1_000;
/** Pages asked for because of one claim. */
const TRIES = 3;
/** The message in question, and its neighbours. */
const BESIDE = 3;

export class Gaps {
  readonly #claims = new Claims();
  /** Claims that did not hold, by message. */
  readonly #doubts = new Map<string, Map<string, Doubt>>();
  readonly #tries = new Map<string, number>();
  /** Conversations that are being looked at; true when something has come since. */
  readonly #looking = new Map<string, boolean>();

  note(context: Context, messages: readonly Message[], opened: readonly OpenedMessage[]): void {
    for (const [i, message] of messages.entries()) if (opened[i]) this.#claims.note(message, opened[i]);
    for (const id of new Set(messages.map(({ conversationId }) => conversationId))) {
      if (this.#looking.has(id)) this.#looking.set(id, true);
      else void this.#look(context, id).catch(() => {});
    }
  }

  /** With what is in doubt about it. */
  marked(message: MessageView): MessageView {
    const doubts = this.#doubts.get(message.id);
    return doubts ? { ...message, doubts: [...doubts.values()] } : message;
  }

  async #look(context: Context, conversationId: string): Promise<void> {
    const { signal } = context;
    this.#review(context, conversationId);
    if (this.#claims.open(conversationId).length === 0) return;
    this.#looking.set(conversationId, false);
    try {
      await sleep(LOOK_MS, signal);
      for (let next = this.#review(context, conversationId); next && !signal.aborted; ) {
        const [key, claim, verdict] = next;
        const tries = (this.#tries.get(key) ?? 0) + 1;
        this.#tries.set(key, tries);
        const holds = await this.#ask(context, claim, verdict).catch(() => undefined);
        if (holds) this.#mark(context, key, claim, verdict.doubt);
        if (holds === undefined) await sleep(backoffMs(tries), signal);
        next = this.#review(context, conversationId);
      }
    } finally {
      const again = this.#looking.get(conversationId);
      this.#looking.delete(conversationId);
      if (again && !signal.aborted) void this.#look(context, conversationId).catch(() => {});
    }
  }

  /** Settles what is fine, takes back what has become so, and gives the next claim to ask about. */
  #review(context: Context, conversationId: string): [string, Claim, Exclude<Verdict, string>] | undefined {
    const timeline = context.store.state.timelines[conversationId];
    let suspect: [string, Claim, Exclude<Verdict, string>] | undefined;
    for (const [key, claim] of this.#claims.open(conversationId)) {
      const verdict = this.#claims.judge(claim, timeline);
      if (verdict === 'fine') {
        this.#claims.settle(key, claim);
        this.#unmark(context, key, claim);
      } else if (verdict !== 'unknown' && !suspect && this.#mayAsk(key, claim)) suspect = [key, claim, verdict];
    }
    return suspect;
  }

  #mayAsk(key: string, { messageId }: Claim): boolean {
    return !this.#doubts.get(messageId)?.has(key) && (this.#tries.get(key) ?? 0) < TRIES;
  }

  /** Undefined when the answer says nothing about it. */
  async #ask(context: Context, claim: Claim, verdict: Exclude<Verdict, string>): Promise<boolean | undefined> {
    const { api, signal, store } = context;
    const { conversationId } = claim;
    const around = { conversationId, around: verdict.ask, limit: BESIDE };
    const { messages } = await api.messages.list.query(around, { signal });
    await openMessages(context, messages);
    return this.#claims.holds(claim, verdict.doubt, messages, store.state.timelines[conversationId]);
  }

  #mark(context: Context, key: string, { conversationId, messageId }: Claim, doubt: Doubt): void {
    const doubts = this.#doubts.get(messageId) ?? new Map<string, Doubt>();
    this.#doubts.set(messageId, doubts.set(key, doubt));
    this.#tell(context, conversationId, messageId);
  }

  #unmark(context: Context, key: string, { conversationId, messageId }: Claim): void {
    const doubts = this.#doubts.get(messageId);
    if (!doubts?.delete(key)) return;
    this.#tell(context, conversationId, messageId);
    if (doubts.size === 0) this.#doubts.delete(messageId);
  }

  #tell({ store }: Context, conversationId: string, messageId: string): void {
    const doubts = [...(this.#doubts.get(messageId)?.values() ?? [])];
    store.apply({ type: 'doubts', conversationId, messageId, doubts });
  }
}
