/** Owns how epoch keys come to me - keychain, wraps, grants, each checked against its commitment - and how many become one blob. */
import { type EpochKey, openGrant, openKeychain, sealKeychain, unwrapKey } from '#crypto/index';
import { bytesEqual, type EpochState, fromBase64, toBase64, wrapRecipients } from '#crypto/verify';
import type { OwnKeychain } from '#protocol/keys';
import { LIMITS } from '#protocol/limits';
import type { Me } from './accounts.ts';
import type { ConversationKeys } from './conversation-keys.ts';
import type { KeyDirectory } from './directory.ts';
import { isGood, KeyringError } from './error.ts';

/** Wraps of one conversation that are worth being put into one blob. */
const MANY = 4;

interface Parts {
  directory: KeyDirectory;
  me: () => Me;
}

export class KeyChest {
  readonly #parts: Parts;
  /** Conversations whose grants were asked for, by the number of epochs I was not in. */
  readonly #granted = new Map<string, number>();
  /** Conversations whose keychain was looked into for what had not come, by the number of epochs there were. */
  readonly #searched = new Map<string, number>();
  readonly #compacting = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  keychain(conversationId: string): Promise<OwnKeychain | null> {
    return this.#parts.directory.keychain(conversationId);
  }

  forget(): void {
    this.#granted.clear();
    this.#searched.clear();
  }

  /** From what is cheapest to what is dearest. Bad keys cost their epoch and nothing else: the next send rotates. */
  async unlock(conversationId: string, conversation: ConversationKeys, chain?: OwnKeychain | null): Promise<void> {
    conversation.giveUpBefore(Math.min(...this.#parts.me().kem.keys()));
    if (chain) await this.#openChain(conversationId, conversation, chain);
    await conversation.deriveRatchets();
    const { missing } = conversation;
    if (missing !== undefined) {
      await this.#unwrap(conversationId, conversation, missing);
      await conversation.deriveRatchets();
      await this.#search(conversationId, conversation);
    }
    const closed = conversation.states.filter(({ record: { epoch } }) => {
      return !conversation.isMine(epoch) && !conversation.keys.has(epoch);
    }).length;
    // Older keys, if somebody has granted them, are asked for once, and again when I have been away.
    if (closed === 0 || this.#granted.get(conversationId) === closed) return;
    await this.#openGrants(conversationId, conversation);
    await conversation.deriveRatchets();
    this.#granted.set(conversationId, closed);
  }

  /** While this device was away, another one of mine may have put wraps into the keychain, and the server dropped them. */
  async #search(conversationId: string, conversation: ConversationKeys): Promise<void> {
    const size = conversation.states.length;
    if (conversation.missing === undefined || this.#searched.get(conversationId) === size) return;
    const chain = await this.keychain(conversationId);
    if (chain) await this.#openChain(conversationId, conversation, chain);
    await conversation.deriveRatchets();
    this.#searched.set(conversationId, size);
  }

  /** Whether so many wraps have come since the last keychain that a new one is worth it. */
  isLong(conversation: ConversationKeys): boolean {
    return this.#wrapped(conversation).filter(({ record }) => record.epoch > conversation.chained).length >= MANY;
  }

  #wrapped({ states }: ConversationKeys): EpochState[] {
    const { userId } = this.#parts.me();
    return states.filter((state) => {
      const isBrought = state.record.kind !== 'ratchet';
      return isBrought ? state.members.has(userId) : wrapRecipients(state).some((to) => to.userId === userId);
    });
  }

  /**
   * Puts all my keys of a conversation into one blob, once there are many wraps. What another device has put there is taken
   * in first, and the blob is opened again before it goes: the server drops the wraps for it.
   */
  async compact(conversationId: string, conversation: ConversationKeys): Promise<boolean> {
    const { directory, me } = this.#parts;
    const { userId, gen, kem } = me();
    const key = kem.get(gen);
    if (!this.isLong(conversation) || !key || this.#compacting.has(conversationId)) return false;
    this.#compacting.add(conversationId);
    try {
      const there = await directory.keychain(conversationId);
      const chained = there ? await this.#openChain(conversationId, conversation, there) : -1;
      if (there && chained < 0) return false;
      // A wrap that has not come, or is for a key of mine that is not here, must not be thrown away.
      const waits = this.#wrapped(conversation).some(
        ({ record: { epoch } }) => !conversation.keys.has(epoch) && !conversation.refused.has(epoch),
      );
      if (waits) return false;
      const place = { userId, conversationId };
      const keys = conversation.roots();
      const sealed = await sealKeychain({ gen, key }, place, keys);
      if (!isSame(await openKeychain(kem, place, sealed), keys)) throw new KeyringError('BAD_WRAP');
      const throughEpoch = conversation.states.length - 1;
      const replaces = there?.throughEpoch ?? null;
      const data = toBase64(sealed);
      if (data.length > LIMITS.keychain) return false;
      await directory.putKeychain({ conversationId, throughEpoch, replaces, data });
      conversation.chained = throughEpoch;
      return true;
    } finally {
      this.#compacting.delete(conversationId);
    }
  }

  /** Gives the last epoch in it, or -1 when it is no good. */
  async #openChain(conversationId: string, conversation: ConversationKeys, chain: OwnKeychain): Promise<number> {
    const { userId, kem } = this.#parts.me();
    const good = await isGood(async () => {
      const keys = await openKeychain(kem, { userId, conversationId }, fromBase64(chain.data));
      for (const { epoch, key } of keys) {
        if (!conversation.keys.has(epoch)) await isGood(() => conversation.accept(epoch, key));
      }
    });
    if (good) conversation.chained = Math.max(conversation.chained, chain.throughEpoch);
    return good ? chain.throughEpoch : -1;
  }

  async #unwrap(conversationId: string, conversation: ConversationKeys, from: number): Promise<void> {
    const { directory, me } = this.#parts;
    const { userId, kem } = me();
    for (const { epoch, gen, wrapped } of await directory.wraps(conversationId, from)) {
      const state = conversation.states[epoch];
      const key = kem.get(gen);
      if (!state || !key || conversation.keys.has(epoch)) continue;
      const place = { conversationId, epoch, recordHash: state.hash, userId, gen };
      const open = async () => conversation.accept(epoch, await unwrapKey(key, place, fromBase64(wrapped)));
      if (!(await isGood(open))) conversation.refused.set(epoch, 'BAD_WRAP');
    }
  }

  async #openGrants(conversationId: string, conversation: ConversationKeys): Promise<void> {
    const { directory, me } = this.#parts;
    const { userId, kem } = me();
    for (const { fromUserId, gen, head, sealed } of await directory.grants(conversationId)) {
      const key = kem.get(gen);
      if (!key) continue;
      const place = { conversationId, head: fromBase64(head), fromUserId, userId, gen };
      let granted: EpochKey[] = [];
      await isGood(async () => {
        granted = await openGrant(key, place, fromBase64(sealed));
      });
      for (const { epoch, key: epochKey } of granted) {
        if (conversation.keys.has(epoch)) continue;
        // Whoever grants a wrong key is found out, and its messages say so.
        if (!(await isGood(() => conversation.accept(epoch, epochKey)))) conversation.refused.set(epoch, 'BAD_GRANT');
      }
    }
  }
}

const isSame = (a: readonly EpochKey[], b: readonly EpochKey[]): boolean =>
  a.length === b.length && a.every(({ epoch, key }, i) => epoch === b[i]?.epoch && bytesEqual(key, b[i].key));
