/** Owns the keys of one conversation: the verified epochs in order, the epoch keys I hold, and what is derived from them. */
import { checkCommitment, type EpochKey, messageKey, ratchetKey, reactionKey, type SealKey } from '#crypto/index';
import { type Bytes, decodeEpoch, type EpochState, fromBase64, type Member, sha256, toBase64 } from '#crypto/verify';
import { must } from '#lib/must';
import { isGood, KeyringError } from './error.ts';

/** As it is kept on the device, sealed. */
export interface StoredConversation {
  epochs: { record: string; seq: number }[];
  keys: [epoch: number, key: string][];
  /** The last epoch in my keychain on the server, as far as this device knows. */
  chained?: number;
}

/** Why a key of an epoch is not here. */
export type KeyProblem = 'BEFORE_JOIN' | 'BEFORE_RESET' | 'NO_EPOCH_KEY' | 'BAD_WRAP' | 'BAD_GRANT';

export class ConversationKeys {
  /** By epoch number. */
  readonly states: EpochState[] = [];
  /** Number of the last message when the epoch was accepted: later ones must not use an older epoch. */
  readonly seqs: number[] = [];
  readonly keys = new Map<number, Bytes>();
  /** Keys that are not waited for any more: what was given was no good, or is for keys of mine that are gone. */
  readonly refused = new Map<number, 'BAD_WRAP' | 'BAD_GRANT' | 'BEFORE_RESET'>();
  /** The last epoch in my keychain on the server, -1 while there is none. */
  chained = -1;
  readonly #userId: string;
  readonly #records: string[] = [];
  readonly #messageKeys = new Map<number, SealKey>();
  readonly #reactionKeys = new Map<number, Bytes>();

  /** @param userId whose keys these are */
  constructor(userId: string) {
    this.#userId = userId;
  }

  get head(): EpochState | undefined {
    return this.states.at(-1);
  }

  get headKey(): Bytes | undefined {
    return this.keys.get(this.states.length - 1);
  }

  /** To go on from, while others still read this one. */
  copy(): ConversationKeys {
    const copy = new ConversationKeys(this.#userId);
    copy.chained = this.chained;
    for (const [epoch, problem] of this.refused) copy.refused.set(epoch, problem);
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
    this.refused.delete(epoch);
  }

  /** The keys from which all the others that I hold follow: what has to be handed on, or kept. */
  roots(): EpochKey[] {
    return [...this.keys]
      .filter(([epoch]) => this.states[epoch]?.record.kind !== 'ratchet' || !this.keys.has(epoch - 1))
      .map(([epoch, key]) => ({ epoch, key }))
      .sort((a, b) => a.epoch - b.epoch);
  }

  /** Whether I was a member in that epoch, and its key had to reach me. */
  isMine = (epoch: number): boolean => this.states[epoch]?.members.has(this.#userId) ?? false;

  /** The first epoch of mine whose key has not come, and may come yet. */
  get missing(): number | undefined {
    const state = this.states.find(({ record: { epoch, kind } }) => {
      const follows = kind === 'ratchet' && this.isMine(epoch - 1);
      return this.isMine(epoch) && !follows && !this.keys.has(epoch) && !this.refused.has(epoch);
    });
    return state?.record.epoch;
  }

  /** Of epochs in which I still had keys of before this generation: what was wrapped for those opens for nobody. */
  giveUpBefore(gen: number): void {
    for (const { members, record } of this.states) {
      const mine = members.get(this.#userId);
      const isLost = mine !== undefined && mine.gen < gen && !this.keys.has(record.epoch);
      if (isLost && !this.refused.has(record.epoch)) this.refused.set(record.epoch, 'BEFORE_RESET');
    }
  }

  /** Every key that follows from one I hold. */
  async deriveRatchets(): Promise<void> {
    for (const { record } of this.states) {
      const before = this.keys.get(record.epoch - 1);
      if (record.kind !== 'ratchet' || this.keys.has(record.epoch) || !before) continue;
      const key = await ratchetKey(before, record);
      // One author's false commitment costs that epoch, and not those that others have begun since.
      if (!(await isGood(() => this.accept(record.epoch, key)))) this.refused.set(record.epoch, 'BAD_WRAP');
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
      chained: this.chained,
    };
  }

  /** What this device verified before and sealed under its own key is not verified again, only folded. */
  static async fromStored(stored: StoredConversation, userId: string): Promise<ConversationKeys> {
    const conversation = new ConversationKeys(userId);
    conversation.chained = stored.chained ?? -1;
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
    if (!key) throw new KeyringError(this.#problem(epoch));
    return key;
  }

  #problem(epoch: number): KeyProblem {
    return this.refused.get(epoch) ?? (this.isMine(epoch) ? 'NO_EPOCH_KEY' : 'BEFORE_JOIN');
  }
}
