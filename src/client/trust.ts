/** Owns trust in people's keys as a screen sees it: state into the store, decisions to the keyring, and both to my other devices. */
import { backoffMs, sleep } from './backoff.ts';
import type { Context } from './context.ts';
import { inSdkWords, SdkError } from './errors.ts';
import type { TrustReport } from './keyring/trust.ts';
import type { SafetyNumber } from './types.ts';

/** Pins of people seen for the first time are written together. */
const GATHER_MS = 10_000;
/** A write that failed is tried again when something is decided, or on the next connection. */
const ATTEMPTS = 5;
const WORD = 'parley-trust';

export class TrustSync {
  readonly #context: Context;
  /** Conversations whose pending change of keys has been looked at. */
  readonly #looked = new Map<string, number>();
  #gathering = false;

  constructor(context: Context) {
    this.#context = context;
  }

  async start(): Promise<void> {
    const { keyring, signal, tabs } = this.#context;
    const stop = tabs.hear((word) => word === WORD && void keyring.rereadTrust().catch(() => {}));
    signal.addEventListener('abort', stop, { once: true });
    this.#apply(await keyring.trust());
    this.online();
  }

  online(): void {
    void this.#save();
    void this.#context.keyring.checkLog().catch(() => {});
  }

  /** The keyring has seen somebody's keys for the first time, or changed, or worse. */
  noticed(report: TrustReport): void {
    this.#apply(report);
    if (this.#gathering) return;
    this.#gathering = true;
    void sleep(GATHER_MS, this.#context.signal).then(() => {
      this.#gathering = false;
      return this.#save();
    });
  }

  /** Somebody left or has new keys: when it is one whose keys were compared, that is worth knowing before the next send. */
  look(conversationIds: Iterable<string>): void {
    const { keyring, store } = this.#context;
    for (const id of conversationIds) {
      const conversation = store.state.conversations[id];
      if (!conversation?.rekeyRequired || this.#looked.get(id) === conversation.version) continue;
      this.#looked.set(id, conversation.version);
      void keyring.recheck(conversation.participants.map(({ user }) => user.id)).catch(() => {});
    }
  }

  async safetyNumber(userId: string): Promise<SafetyNumber> {
    const { keyring } = this.#context;
    // What another device has decided is worth a round trip; without a network what is known here has to do.
    await keyring.syncSettings().catch(() => {});
    return inSdkWords(keyring.safetyNumber(userId));
  }

  async matchesCode(userId: string, code: string): Promise<boolean> {
    return inSdkWords(this.#context.keyring.matchesCode(userId, code));
  }

  async verify(userId: string, number: string): Promise<void> {
    await inSdkWords(this.#context.keyring.verify(userId, number));
    await this.#decided();
  }

  async unverify(userId: string): Promise<void> {
    await inSdkWords(this.#context.keyring.unverify(userId));
    await this.#decided();
  }

  async #decided(): Promise<void> {
    const { keyring, tabs } = this.#context;
    this.#apply(await keyring.trust());
    tabs.tell(WORD);
    void this.#save();
  }

  #apply({ trust, alarms }: TrustReport): void {
    const { signal, store } = this.#context;
    if (!signal.aborted) store.apply({ type: 'trust', trust, alarms });
  }

  async #save(): Promise<void> {
    const { keyring, signal } = this.#context;
    for (let attempt = 0; attempt < ATTEMPTS && !signal.aborted; attempt++) {
      try {
        return await inSdkWords(keyring.syncSettings());
      } catch (error) {
        // Refused on this device: an alarm has been raised, and nothing is written over it.
        if (error instanceof SdkError && error.code === 'CRYPTO') return;
      }
      await sleep(backoffMs(attempt + 2), signal);
    }
  }
}
