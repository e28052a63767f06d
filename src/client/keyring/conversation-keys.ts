/** Owns the keys of one conversation: the verified epochs in order, the epoch keys I hold, and what is derived from them. */
import { checkCommitment, messageKey, ratchetKey, reactionKey, type SealKey } from '#crypto/index';
import { type Bytes, decodeEpoch, type EpochState, fromBase64, type Member, sha256, toBase64 } from '#crypto/verify';
import { must } from '#lib/must';
import { KeyringError } from './error.ts';

/** As it is kept on the device, sealed. */
export interface StoredConversation {
  epochs: { record: string; seq: number }[];
  keys: [epoch: number, key: string][];
}

export class ConversationKeys {
  /** By epoch number. */
  readonly states: EpochState[] = [];
  /** Number of the last message when the epoch was accepted: later ones must not use an older epoch. */
  readonly seqs: number[] = [];
  readonly keys = new Map<number, Bytes>();
  readonly #records: string[] = [];
  readonly #messageKeys = new Map<number, SealKey>();
  readonly #reactionKeys = new Map<number, Bytes>();

  get head(): EpochState | undefined {
    return this.states.at(-1);
  }

  get headKey(): Bytes | undefined {
    return this.keys.get(this.states.length - 1);
  }

  /** To go on from, while others still read this one. */
  copy(): ConversationKeys {
    const copy = new ConversationKeys();
    copy.states.push(...this.states);
    copy.seqs.push(...this.seqs);
    copy.#records.push(...this.#records);
    for (const [epoch, key] of this.keys) copy.keys.set(epoch, key);
    for (const [epoch, key] of this.#messageKeys) copy.#messageKeys.set(epoch, key);
    for (const [epoch, key] of this.#reactionKeys) copy.#reactionKeys.set(epoch, key);
    return copy;
  }

  /** Appends a state that `applyEpoch` has just given. */
  push(state: EpochState, record: string, seq: number): void {
    this.states.push(state);
    this.#records.push(record);
    this.seqs.push(seq);
  }

  /** Keeps a key if it is the one its record commits to. Throws KEY_COMMIT. */
  async accept(epoch: number, key: Bytes): Promise<void> {
    const state = this.states[epoch];
    if (!state) throw new KeyringError('EPOCH_MISMATCH');
    await checkCommitment(key, state.record);
    this.keys.set(epoch, key);
  }

  /** Every key that follows from one I hold. */
  async deriveRatchets(): Promise<void> {
    for (const { record } of this.states) {
      const before = this.keys.get(record.epoch - 1);
      if (record.kind !== 'ratchet' || this.keys.has(record.epoch) || !before) continue;
      await this.accept(record.epoch, await ratchetKey(before, record));
    }
  }

  async messageKey(epoch: number): Promise<SealKey> {
    const known = this.#messageKeys.get(epoch);
    if (known) return known;
    const key = await messageKey(this.#key(epoch));
    this.#messageKeys.set(epoch, key);
    return key;
  }

  async reactionKey(epoch: number): Promise<Bytes> {
    const known = this.#reactionKeys.get(epoch);
    if (known) return known;
    const key = await reactionKey(this.#key(epoch));
    this.#reactionKeys.set(epoch, key);
    return key;
  }

  toStored(): StoredConversation {
    return {
      epochs: this.#records.map((record, i) => ({ record, seq: must(this.seqs[i], 'pushed together') })),
      keys: [...this.keys].map(([epoch, key]) => [epoch, toBase64(key)]),
    };
  }

  /** What this device verified before and sealed under its own key is not verified again, only folded. */
  static async fromStored(stored: StoredConversation): Promise<ConversationKeys> {
    const conversation = new ConversationKeys();
    for (const { record: text, seq } of stored.epochs) {
      const bytes = fromBase64(text);
      const record = decodeEpoch(bytes);
      const members = new Map<string, Member>(conversation.head?.members);
      for (const op of record.ops) {
        if (op.op === 'remove') members.delete(op.userId);
        else members.set(op.member.userId, op.member);
      }
      conversation.push({ record, hash: await sha256(bytes), members }, text, seq);
    }
    for (const [epoch, key] of stored.keys) conversation.keys.set(epoch, fromBase64(key));
    return conversation;
  }

  #key(epoch: number): Bytes {
    const key = this.keys.get(epoch);
    if (!key) throw new KeyringError('NO_EPOCH_KEY');
    return key;
  }
}
