/** Owns what follows when messages cannot be read: they are counted for the operator, without saying which, and lost keys heal. */
import { UNREADABLE_REASONS, type UnreadableReason } from '#protocol/keys';
import type { Context } from './context.ts';
import { rotate } from './epochs.ts';
import { sleep } from './backoff.ts';
import type { MessageView } from './types.ts';

/** Reports wait for each other: a page of fifty is one call. */
const REPORT_MS = 5_000;
/** Messages remembered as told. */
const LIMIT = 10_000;
/** Others in the conversation may lack the same key: who waits longer finds it healed. */
const HEAL_WITHIN_MS = 2_000;
/** For each conversation while this chat lives: somebody who gives bad keys again and again is not followed for ever. */
const HEALS = 5;

export class Unreadable {
  readonly #told = new Set<string>();
  readonly #counts = new Map<UnreadableReason, number>();
  readonly #healed = new Map<string, number>();
  readonly #healing = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  note(context: Context, messages: readonly MessageView[]): void {
    for (const { id, conversationId, content } of messages) {
      if (content.kind !== 'unreadable' || this.#told.has(id)) continue;
      if (this.#told.size >= LIMIT) this.#told.clear();
      this.#told.add(id);
      const reason = asKnown(content.reason);
      this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
      this.#report(context);
      if (reason === 'NO_EPOCH_KEY' || reason === 'BAD_WRAP') void this.#heal(context, conversationId);
    }
  }

  #report(context: Context): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const counts = [...this.#counts];
      this.#counts.clear();
      if (context.signal.aborted) return;
      // Nothing hangs on it, so nothing is tried twice.
      for (const [reason, count] of counts) void context.api.keys.report.mutate({ reason, count }).catch(() => {});
    }, REPORT_MS);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** A rotation needs no key of before: whoever has none makes the next one. */
  async #heal(context: Context, conversationId: string): Promise<void> {
    const { keyring, signal } = context;
    const heals = this.#healed.get(conversationId) ?? 0;
    if (heals >= HEALS || this.#healing.has(conversationId)) return;
    this.#healing.add(conversationId);
    try {
      await sleep(Math.random() * HEAL_WITHIN_MS, signal);
      if (signal.aborted || (await keyring.sync(conversationId))) return;
      this.#healed.set(conversationId, heals + 1);
      await rotate(context, conversationId);
    } catch {
      // The next message that is sent from here tries again, and says so if it fails.
    } finally {
      this.#healing.delete(conversationId);
    }
  }
}

const asKnown = (reason: string): UnreadableReason =>
  (UNREADABLE_REASONS as readonly string[]).includes(reason) ? (reason as UnreadableReason) : 'OTHER';
