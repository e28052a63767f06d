/** Owns the sealing of what I say, under the newest epoch I know - if its key is here, and has not served for too long. */
import { type Payload, reactionTag, sealEnvelope } from '#crypto/index';
import { type EnvelopeType, fromBase64, NIL_ID, toBase64 } from '#crypto/verify';
import type { Me } from './accounts.ts';
import type { ConversationKeys } from './conversation-keys.ts';
import type { EpochLog } from './epoch-log.ts';
import { KeyringError } from './error.ts';
import type { Identities } from './identities.ts';
import type { IdentityLog } from './identity-log.ts';
import type { Seen } from './seen.ts';

export interface Sealed {
  contentEncrypted: string;
  keyEpoch: number;
}

export interface MessageDraft {
  id: string;
  conversationId: string;
  payload: Payload;
  createdMs: number;
  /** 0 for a new message; edits and tombstones count on. */
  revision?: number;
  type?: Extract<EnvelopeType, 'message' | 'edit' | 'delete' | 'meta'>;
}

export interface ReactionDraft {
  id: string;
  conversationId: string;
  targetId: string;
  /** The epoch the message was first sealed in. */
  targetEpoch: number;
  emoji: string;
  createdMs: number;
}

interface Parts {
  log: EpochLog;
  identities: Identities;
  seen: Seen;
  identityLog: IdentityLog;
  me: () => Me;
}

const ZEROS = new Uint8Array(32);

/** A key that leaks opens no more than this. Whoever sends next brings a new one. */
const MAX_AGE_MS = 30 * 24 * 60 * 60 * 1_000;
const MAX_MESSAGES = 10_000;

export class Sealer {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Throws NO_EPOCH_KEY when the newest key could not be opened, and EPOCH_WORN: rotate, then seal again. */
  async seal(draft: MessageDraft): Promise<Sealed> {
    const conversation = await this.#parts.log.usable(draft.conversationId);
    if (!conversation.headKey) throw new KeyringError('NO_EPOCH_KEY');
    if ((draft.type ?? 'message') === 'message') this.#checkWear(conversation, draft);
    return this.sealIn(conversation, draft);
  }

  /** By the signed time of the epoch, and by the number of the newest message here. */
  #checkWear({ head, seqs }: ConversationKeys, { conversationId, createdMs }: MessageDraft): void {
    const age = createdMs - (head?.record.createdMs ?? createdMs);
    const messages = (this.#parts.seen.newest(conversationId)?.seq ?? 0) - (seqs.at(-1) ?? 0);
    if (age > MAX_AGE_MS || messages >= MAX_MESSAGES) throw new KeyringError('EPOCH_WORN');
  }

  /** For a conversation that the server does not have yet. */
  async sealIn(conversation: ConversationKeys, draft: MessageDraft): Promise<Sealed> {
    const { id, type = 'message', revision = 0 } = draft;
    const reply = draft.payload.reply_to;
    const { head: log } = this.#parts.identityLog;
    const payload = {
      ...draft.payload,
      ...(isReply(reply) ? { reply_to: this.#withHash(reply) } : {}),
      ...(type === 'message' && log ? { log } : {}),
    };
    return this.#seal(conversation, { ...draft, payload, messageId: id, type, revision, targetId: NIL_ID, aux: ZEROS });
  }

  async sealReaction(draft: ReactionDraft): Promise<Sealed & { tag: string }> {
    const { conversationId, targetId, emoji } = draft;
    const conversation = await this.#parts.log.usable(conversationId);
    const key = await conversation.reactionKey(draft.targetEpoch);
    const aux = await reactionTag(key, { conversationId, targetId }, emoji);
    const content = { ...draft, messageId: draft.id, type: 'reaction' as const, revision: 0, aux, payload: { emoji } };
    return { ...(await this.#seal(conversation, content)), tag: toBase64(aux) };
  }

  async #seal(
    conversation: ConversationKeys,
    content: {
      conversationId: string;
      messageId: string;
      type: EnvelopeType;
      revision: number;
      targetId: string;
      aux: Uint8Array<ArrayBuffer>;
      createdMs: number;
      payload: Payload;
    },
  ): Promise<Sealed> {
    const { identities, me, seen } = this.#parts;
    const { head } = conversation;
    if (!head) throw new KeyringError('NO_EPOCH_KEY');
    if (content.type !== 'delete') await identities.refuseChanged(head.members);
    const { userId, gen, signer } = me();
    const { payload, ...fields } = content;
    const previous = seen.newest(content.conversationId);
    const header = {
      ...fields,
      epoch: head.record.epoch,
      epochHash: head.hash,
      senderId: userId,
      senderGen: gen,
      prevSeq: previous?.seq ?? 0,
      prevHash: previous ? fromBase64(previous.hash) : ZEROS,
    };
    const messageKey = await conversation.messageKey(header.epoch);
    const envelope = await sealEnvelope(header, { messageKey, signer }, payload);
    return { contentEncrypted: toBase64(envelope), keyEpoch: header.epoch };
  }

  /** Binds a reply to what was read, so that the quoted message cannot be exchanged under it. */
  #withHash(reply: { id: string }): Payload {
    const hash = this.#parts.seen.message(reply.id)?.hash;
    return hash === undefined ? { ...reply } : { ...reply, hash };
  }
}

function isReply(value: unknown): value is { id: string } {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}
