/**
 * Owns the replay of a conversation's signed epochs: verify each record by the same law as the server, notice a rollback
 * or fork, unwrap my keys and check them against the commitments. One sync per conversation at a time.
 */
import { isCryptoError, applyEpoch, bytesEqual, type EpochState, fromBase64, sha256 } from '#crypto/verify';
import { openGrant, unwrapKey } from '#crypto/index';
import { Serial } from '#lib/serial';
import type { EpochOfConversation } from '#protocol/keys';
import type { Me } from './accounts.ts';
import { ConversationKeys, type StoredConversation } from './conversation-keys.ts';
import type { Device } from './device.ts';
import type { KeyDirectory } from './directory.ts';
import { KeyringError } from './error.ts';
import type { Identities } from './identities.ts';

interface Parts {
  directory: KeyDirectory;
  device: Device;
  identities: Identities;
  me: () => Me;
}

export const epochsPlace = (conversationId: string) => `epochs/${conversationId}`;

export class EpochLog {
  readonly #parts: Parts;
  readonly #serial = new Serial();
  readonly #conversations = new Map<string, ConversationKeys>();
  /** The last sync asked for: a page of messages that all need it asks once. */
  readonly #coming = new Map<string, Promise<ConversationKeys>>();
  /** Conversations whose grants were asked for since the start. */
  readonly #granted = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
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
    this.#granted.clear();
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
    const before = conversation.states.length;
    const keysBefore = conversation.keys.size;
    await this.#replay(conversationId, conversation);
    await this.#unlock(conversationId, conversation);
    this.#conversations.set(conversationId, conversation);
    if (conversation.states.length > before || conversation.keys.size > keysBefore) {
      await this.#parts.device.put('sealed', epochsPlace(conversationId), conversation.toStored());
    }
    return conversation;
  }

  async #restore(conversationId: string): Promise<ConversationKeys> {
    const stored = await this.#parts.device.get('sealed', epochsPlace(conversationId));
    return stored ? ConversationKeys.fromStored(stored as StoredConversation) : new ConversationKeys();
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

  async #unlock(conversationId: string, conversation: ConversationKeys): Promise<void> {
    const { userId } = this.#parts.me();
    // A record may commit to a key that does not follow: that epoch is then as good as lost, and the next send rotates.
    const derive = () => ignoringBadKeys(() => conversation.deriveRatchets());
    await derive();
    const missing = conversation.states.find(({ record, members }) => {
      return members.has(userId) && !conversation.keys.has(record.epoch);
    });
    if (!missing) return;
    await this.#unwrap(conversationId, conversation, missing.record.epoch);
    await derive();
    // Older keys, if somebody has granted them, are asked for once.
    if (this.#granted.has(conversationId) || conversation.keys.has(0)) return;
    await this.#openGrants(conversationId, conversation);
    await derive();
    this.#granted.add(conversationId);
  }

  async #unwrap(conversationId: string, conversation: ConversationKeys, from: number): Promise<void> {
    const { directory, me } = this.#parts;
    const { userId, kem } = me();
    for (const { epoch, gen, wrapped } of await directory.wraps(conversationId, from)) {
      const state = conversation.states[epoch];
      const key = kem.get(gen);
      if (!state || !key || conversation.keys.has(epoch)) continue;
      const place = { conversationId, epoch, recordHash: state.hash, userId, gen };
      // A bad wrap costs me this epoch and nothing else: the next send rotates.
      await ignoringBadKeys(async () => conversation.accept(epoch, await unwrapKey(key, place, fromBase64(wrapped))));
    }
  }

  async #openGrants(conversationId: string, conversation: ConversationKeys): Promise<void> {
    const { directory, me } = this.#parts;
    const { userId, kem } = me();
    for (const { fromUserId, gen, head, sealed } of await directory.grants(conversationId)) {
      const key = kem.get(gen);
      if (!key) continue;
      const place = { conversationId, head: fromBase64(head), fromUserId, userId, gen };
      await ignoringBadKeys(async () => {
        for (const granted of await openGrant(key, place, fromBase64(sealed))) {
          if (!conversation.keys.has(granted.epoch)) await conversation.accept(granted.epoch, granted.key);
        }
      });
    }
  }
}

async function checkOverlap(head: EpochState, first: EpochOfConversation | undefined): Promise<void> {
  if (!first) throw new KeyringError('EPOCH_ROLLBACK');
  if (!bytesEqual(await sha256(fromBase64(first.record)), head.hash)) throw new KeyringError('EPOCH_FORK');
}

async function ignoringBadKeys(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const bad = isCryptoError(error) || error instanceof KeyringError;
    if (!bad) throw error;
  }
}
