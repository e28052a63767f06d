/**
 * Owns the receiving of sealed content: every check between "the server gave me this" and "this person said so".
 * What fails a check comes out as a reason, never as text.
 */
import { openEnvelope, type Payload, reactionTag } from '#crypto/index';
import {
  type Bytes,
  bytesEqual,
  type Envelope,
  type EnvelopeType,
  type EpochState,
  fromBase64,
  type Member,
  NIL_ID,
  parseEnvelope,
  ROLE_ADMIN,
  ROLE_MEMBER,
  ROLE_MODERATOR,
  toBase64,
  verifyEnvelope,
} from '#crypto/verify';
import type { Conversation } from '#protocol/conversation';
import type { Message, Reaction } from '#protocol/message';
import { readAttachments } from '../files/attachment.ts';
import { pictureOf } from '../picture.ts';
import type { Content, Naming } from '../types.ts';
import type { ConversationKeys } from './conversation-keys.ts';
import type { EpochLog } from './epoch-log.ts';
import { KeyringError, reasonOf } from './error.ts';
import type { Identities } from './identities.ts';
import type { IdentityLog } from './identity-log.ts';
import type { Seen } from './seen.ts';
import { NO_TITLE, type OpenedTitle, type Titles } from './titles.ts';

export interface OpenedMessage {
  content: Content;
  /** Of the envelope; an edit or tombstone is the next one. */
  revision: number;
  /** By tag; null when the sample could not be verified. */
  emojis: Record<string, string | null>;
  /** Null when it could not be verified. */
  said: Said | null;
}

/** What an envelope says besides its content; hashes in base64. */
export interface Said {
  hash: string;
  /** Of a new message: the newest that its sender had seen. It may have been edited by then. */
  seen: { seq: number; hash: string } | null;
  /** The message that it answers, as it was then. */
  answers: { id: string; hash: string } | null;
}

interface Parts {
  log: EpochLog;
  identities: Identities;
  identityLog: IdentityLog;
  seen: Seen;
  titles: Titles;
}

interface Verified {
  envelope: Envelope;
  hash: Bytes;
  conversation: ConversationKeys;
  state: EpochState;
  sender: Member;
}

export class Opener {
  readonly #parts: Parts;
  /** A tag is a keyed hash of its emoji: verified once, it stays what it is. */
  readonly #emojis = new Map<string, string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async openMessage(message: Message): Promise<OpenedMessage> {
    const emojis = await this.#openReactions(message);
    try {
      return { ...(await this.#open(message)), emojis };
    } catch (error) {
      const content = { kind: 'unreadable' as const, reason: reasonOf(error) };
      return { content, revision: revisionOf(message), emojis, said: null };
    }
  }

  /** One that does not verify leaves what was known; one that is older than that as well. */
  async openTitle({ id, title }: Pick<Conversation, 'id' | 'title'>): Promise<OpenedTitle> {
    if (title === null) return { ...NO_TITLE, revision: -1 };
    const { titles } = this.#parts;
    let revision = -1;
    try {
      const envelope = parseEnvelope(fromBase64(title));
      revision = envelope.header.revision;
      if (envelope.header.messageId !== id) throw new KeyringError('ROW_MISMATCH');
      const verified = await this.#verify(envelope, { conversationId: id, types: ['meta'] });
      if (verified.sender.role === ROLE_MEMBER) throw new KeyringError('NOT_ALLOWED');
      const payload = await this.#decrypt(verified);
      const { title: name, topic, avatar, naming } = payload;
      const about = { title: textOf(name), topic: textOf(topic), avatar: pictureOf(avatar), naming: namingOf(naming) };
      const opened = { ...about, revision };
      return await titles.newest(id, { ...opened, hash: toBase64(verified.hash) });
    } catch (error) {
      reasonOf(error);
      // The next title has to count from the envelope that the server holds.
      return { ...NO_TITLE, ...(await titles.known(id)), revision };
    }
  }

  async #open(message: Message): Promise<Omit<OpenedMessage, 'emojis'>> {
    const { id, conversationId, seq } = message;
    const envelope = parseEnvelope(fromBase64(message.contentEncrypted));
    const { header } = envelope;
    const types: EnvelopeType[] = message.isDeleted ? ['delete'] : message.isEdited ? ['edit'] : ['message'];
    if (header.messageId !== id || header.epoch !== message.keyEpoch) throw new KeyringError('ROW_MISMATCH');
    if ((header.type === 'message') !== (header.revision === 0)) throw new KeyringError('ROW_MISMATCH');
    const verified = await this.#verify(envelope, { conversationId, types });
    if (header.senderId !== message.senderId) checkMayDelete(verified, message.senderId);
    const { conversation } = verified;
    const endedAt = conversation.seqs[header.epoch + 1];
    if (header.type === 'message' && endedAt !== undefined && seq > endedAt) throw new KeyringError('LATE_EPOCH');
    const hash = toBase64(verified.hash);
    const sighting = { conversationId, messageId: id, seq, revision: header.revision, hash };
    this.#parts.seen.check(sighting);
    const payload = await this.#decrypt(verified);
    this.#parts.seen.note(sighting);
    if (header.type === 'message') this.#parts.identityLog.compare(payload.log);
    const names = header.type === 'message' && header.prevSeq > 0;
    const seen = names ? { seq: header.prevSeq, hash: toBase64(header.prevHash) } : null;
    const said = { hash, seen, answers: answerOf(payload) };
    return { content: contentOf(conversationId, header.type, payload), revision: header.revision, said };
  }

  /** Epoch, membership, identity, signature: everything but the content. */
  async #verify(
    envelope: Envelope,
    expected: { conversationId: string; types: readonly EnvelopeType[]; targetId?: string },
  ): Promise<Verified> {
    const { header } = envelope;
    if (header.conversationId !== expected.conversationId) throw new KeyringError('WRONG_CONVERSATION');
    if (!expected.types.includes(header.type)) throw new KeyringError('ROW_MISMATCH');
    if (header.targetId !== (expected.targetId ?? NIL_ID)) throw new KeyringError('ROW_MISMATCH');
    const conversation = await this.#parts.log.upTo(expected.conversationId, header.epoch);
    const state = conversation.states[header.epoch];
    if (!state || !bytesEqual(state.hash, header.epochHash)) throw new KeyringError('EPOCH_MISMATCH');
    const sender = state.members.get(header.senderId);
    if (!sender || sender.gen !== header.senderGen) throw new KeyringError('NOT_A_MEMBER');
    const identity = await this.#parts.identities.get(header.senderId, header.senderGen);
    if (!bytesEqual(identity.fingerprint, sender.fingerprint)) throw new KeyringError('FORGED_SENDER');
    const hash = await verifyEnvelope(envelope, identity.record.sigPub);
    return { envelope, hash, conversation, state, sender };
  }

  async #decrypt({ envelope, conversation }: Verified): Promise<Payload> {
    return openEnvelope(envelope, await conversation.messageKey(envelope.header.epoch));
  }

  async #openReactions(message: Message): Promise<Record<string, string | null>> {
    const emojis: Record<string, string | null> = {};
    for (const reaction of message.reactions) {
      const name = `${message.id}/${reaction.tag}`;
      const known = this.#emojis.get(name) ?? (await this.#openReaction(message, reaction));
      if (known !== null) this.#emojis.set(name, known);
      emojis[reaction.tag] = known;
    }
    return emojis;
  }

  async #openReaction(message: Message, reaction: Reaction): Promise<string | null> {
    try {
      const envelope = parseEnvelope(fromBase64(reaction.sample));
      const { header } = envelope;
      const { id: targetId, conversationId } = message;
      if (!reaction.userIds.includes(header.senderId)) throw new KeyringError('ROW_MISMATCH');
      if (toBase64(header.aux) !== reaction.tag) throw new KeyringError('BAD_TAG');
      const verified = await this.#verify(envelope, { conversationId, types: ['reaction'], targetId });
      const { emoji } = await this.#decrypt(verified);
      if (typeof emoji !== 'string') throw new KeyringError('BAD_TAG');
      const key = await verified.conversation.reactionKey(message.firstKeyEpoch);
      const tag = await reactionTag(key, { conversationId, targetId }, emoji);
      if (!bytesEqual(tag, header.aux)) throw new KeyringError('BAD_TAG');
      return emoji;
    } catch (error) {
      reasonOf(error);
      return null;
    }
  }
}

function namingOf(value: unknown): Naming | null {
  if (typeof value !== 'object' || value === null) return null;
  const { by, at, seq } = value as Partial<Record<keyof Naming, unknown>>;
  const isNaming = typeof by === 'string' && typeof at === 'string' && !Number.isNaN(Date.parse(at));
  return isNaming && Number.isSafeInteger(seq) ? { by, at, seq: seq as number } : null;
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Somebody else's envelope may stand in a message's place only as a tombstone by a role that may remove it. */
function checkMayDelete({ envelope, state, sender }: Verified, authorId: string): void {
  if (envelope.header.type !== 'delete') throw new KeyringError('ROW_MISMATCH');
  const author = state.members.get(authorId)?.role ?? ROLE_MEMBER;
  const may = sender.role === ROLE_ADMIN || (sender.role === ROLE_MODERATOR && author === ROLE_MEMBER);
  if (!may) throw new KeyringError('NOT_ALLOWED');
}

const KINDS: unknown[] = ['text', 'image', 'file', 'voice'];

function contentOf(conversationId: string, type: EnvelopeType, payload: Payload): Content {
  if (type === 'delete') return { kind: 'deleted' };
  const files = readAttachments(conversationId, payload.attachments);
  if (!KINDS.includes(payload.t) || typeof payload.body !== 'string' || files === null) return { kind: 'unsupported' };
  const reply = payload.reply_to;
  const id = typeof reply === 'object' && reply !== null && 'id' in reply ? reply.id : null;
  const replyTo = typeof id === 'string' ? id : null;
  return { kind: 'text', body: payload.body, replyTo, ...(files.length > 0 ? { files } : {}) };
}

function answerOf({ reply_to: reply }: Payload): Said['answers'] {
  if (typeof reply !== 'object' || reply === null || !('id' in reply && 'hash' in reply)) return null;
  const { id, hash } = reply;
  return typeof id === 'string' && typeof hash === 'string' ? { id, hash } : null;
}

/** The next change of an unreadable message still has to count from its envelope. */
function revisionOf(message: Message): number {
  try {
    return parseEnvelope(fromBase64(message.contentEncrypted)).header.revision;
  } catch (error) {
    reasonOf(error);
    return 0;
  }
}
