/**
 * Owns the replay of a conversation's signed epochs: verify each record by the same law as the server, notice a rollback
 * or fork, unwrap my keys and check them against the commitments. One sync per conversation at a time.
 */
import { applyEpoch, bytesEqual, type EpochState, fromBase64, sha256 } from '#crypto/verify';
import { Serial } from '#lib/serial';
import type { EpochOfConversation } from '#protocol/keys';
import type { Me } from './accounts.ts';
import { ConversationKeys, type StoredConversation } from './conversation-keys.ts';
import type { Device } from './device.ts';
import type { KeyDirectory } from './directory.ts';
import { KeyringError } from './error.ts';
import type { Identities } from './identities.ts';
import { KeyChest } from './key-chest.ts';

interface Parts {
  directory: KeyDirectory;
  device: Device;
  identities: Identities;
  me: () => Me;
}

/** Per member, at most. */
const COMPACT_MS = 20;

export const epochsPlace = (conversationId: string) => `epochs/${conversationId}`;

export class EpochLog {
  readonly #parts: Parts;
  readonly #serial = new Serial();
  readonly #conversations = new Map<string, ConversationKeys>();
  /** The last sync asked for: a page of messages that all need it asks once. */
  readonly #coming = new Map<string, Promise<ConversationKeys>>();
  readonly #chest: KeyChest;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#chest = new KeyChest(parts);
  }

  /** What is known, from this device if possible; asks the server only when nothing is. */
  async known(conversationId: string): Promise<ConversationKeys> {
    return this.#conversations.get(conversationId) ?? this.#shared(conversationId);
  }

  /** The same, with a last attempt to get the newest key: for sealing. */
  async usable(conversationId: string): Promise<ConversationKeys> {
    const known = await this.known(conversationId);
    return known.headKey ? known : this.#shared(conversationId);
  }

  /** The same, and sure to hold that epoch if it exists. */
  async upTo(conversationId: string, epoch: number): Promise<ConversationKeys> {
    const known = await this.known(conversationId);
    if (known.states.length > epoch) return known;
    const shared = await this.#shared(conversationId);
    // One that was on its way already may have asked too early.
    return shared.states.length > epoch ? shared : this.#shared(conversationId);
  }

  sync(conversationId: string): Promise<ConversationKeys> {
    return this.#serial.run(conversationId, () => this.#sync(conversationId));
  }

  forget(): void {
    this.#conversations.clear();
    this.#chest.forget();
  }

  #shared(conversationId: string): Promise<ConversationKeys> {
    const coming =
      this.#coming.get(conversationId) ?? this.sync(conversationId).finally(() => this.#coming.delete(conversationId));
    this.#coming.set(conversationId, coming);
    return coming;
  }

  async #sync(conversationId: string): Promise<ConversationKeys> {
    // On a copy: an epoch must not be seen before its key has been asked for.
    const conversation = this.#conversations.get(conversationId)?.copy() ?? (await this.#restore(conversationId));
    const before = JSON.stringify(sizeOf(conversation));
    const isNew = conversation.states.length === 0;
    const chain = isNew ? this.#chest.keychain(conversationId) : undefined;
    chain?.catch(() => {});
    await this.#replay(conversationId, conversation);
    await this.#chest.unlock(conversationId, conversation, await chain);
    this.#conversations.set(conversationId, conversation);
    if (JSON.stringify(sizeOf(conversation)) !== before) {
      await this.#parts.device.put('sealed', epochsPlace(conversationId), conversation.toStored());
    }
    if (this.#chest.isLong(conversation)) {
      // The next sync tries again.
      this.#compact(conversationId, conversation.head?.members.size ?? 0).catch(() => {});
    }
    return conversation;
  }

  /** In its own time: whoever waits for a message does not wait for this, and a thousand members do not come at once. */
  async #compact(conversationId: string, size: number): Promise<void> {
    await new Promise((go) => {
      const timer = setTimeout(go, Math.random() * size * COMPACT_MS);
      // It must not keep a program alive.
      (timer as { unref?: () => void }).unref?.();
    });
    const conversation = this.#conversations.get(conversationId);
    if (!conversation || !(await this.#chest.compact(conversationId, conversation))) return;
    if (this.#conversations.get(conversationId) !== conversation) return;
    await this.#parts.device.put('sealed', epochsPlace(conversationId), conversation.toStored());
  }

  async #restore(conversationId: string): Promise<ConversationKeys> {
    const { device, me } = this.#parts;
    const stored = await device.get('sealed', epochsPlace(conversationId));
    const { userId } = me();
    return stored ? ConversationKeys.fromStored(stored as StoredConversation, userId) : new ConversationKeys(userId);
  }

  async #replay(conversationId: string, conversation: ConversationKeys): Promise<void> {
    const { directory, identities } = this.#parts;
    const { head } = conversation;
    // The record I hold as the newest is asked for again: the server has to show the same past it showed before.
    const after = head ? head.record.epoch - 1 : -1;
    const log = await directory.epochs(conversationId, after);
    if (head) await checkOverlap(head, log.shift());
    for (const { record, sig, seq } of log) {
      const signed = { record: fromBase64(record), sig: fromBase64(sig) };
      const state = await applyEpoch(conversation.head, signed, async (userId, gen, fingerprint) => {
        const identity = await identities.get(userId, gen);
        if (!bytesEqual(identity.fingerprint, fingerprint)) throw new KeyringError('FORGED_SENDER');
        return identity.record.sigPub;
      });
      if (state.record.conversationId !== conversationId) throw new KeyringError('WRONG_CONVERSATION');
      await this.#checkMembers(state);
      conversation.push(state, record, seq);
    }
  }

  /** The author vouches for fingerprints; they must be those I see and pinned. A newer own identity than mine is an alarm. */
  async #checkMembers(state: EpochState): Promise<void> {
    const { identities } = this.#parts;
    const members = state.record.ops.flatMap((op) => (op.op === 'remove' ? [] : [op.member]));
    await identities.prefetch(members.map(({ userId }) => userId));
    for (const { userId, gen, fingerprint } of members) {
      const identity = await identities.get(userId, gen);
      if (!bytesEqual(identity.fingerprint, fingerprint)) throw new KeyringError('PIN_MISMATCH', userId);
    }
  }
}

const sizeOf = ({ states, keys, chained }: ConversationKeys) => [states.length, keys.size, chained];

async function checkOverlap(head: EpochState, first: EpochOfConversation | undefined): Promise<void> {
  if (!first) throw new KeyringError('EPOCH_ROLLBACK');
  if (!bytesEqual(await sha256(fromBase64(first.record)), head.hash)) throw new KeyringError('EPOCH_FORK');
}
