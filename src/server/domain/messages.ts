/** Sending, editing and deleting messages. Content stays sealed; what is checked is who may, and in which state of keys. */
import { hash } from 'node:crypto';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { NIL_ID } from '#crypto/verify';
import { notFound, ParleyError } from '#protocol/errors';
import type { DeleteMessage, EditMessage, Message, MessageSeen, SendMessage } from '#protocol/message';
import { rankOf, type Role } from '#protocol/participant';
import type { Db, Tx } from '../db/client.ts';
import { conversationParticipants, messageRevisions, messages, reactions } from '../db/tables.ts';
import type { Verdict } from '../db/store-messages.ts';
import type { Deps } from '../deps.ts';
import { type AccessedMessage, accessMessage, type Membership, requireActive } from './access.ts';
import { change, type Change, currentXid, takeVersions } from './change.ts';
import { checkEnvelope, checkKeys } from './envelopes.ts';
import { dropAttachments } from './files.ts';
import { loadMessages, seenBy } from './present.ts';
import { tellAnswer } from './receipts.ts';

const sha256 = (text: string) => hash('sha256', text, 'buffer');
const EMPTY = new Uint8Array(32);

/** Answered after the commit. The same id with the same bytes is the same message, whatever happened to it since. */
export async function sendMessage(
  deps: Deps,
  userId: string,
  input: z.output<typeof SendMessage>,
): Promise<MessageSeen> {
  const checked = examine(deps, userId, input);
  const verdict = await deps.writer.write({
    id: input.id,
    conversationId: input.conversationId,
    senderId: userId,
    // What is no envelope may be no text that a database takes.
    content: checked.header ? input.contentEncrypted : '',
    messageType: input.messageType,
    keyEpoch: input.keyEpoch,
    epochHash: checked.header?.epochHash ?? EMPTY,
    senderGen: checked.header?.senderGen ?? 0,
    hash: hash('sha256', input.contentEncrypted, 'hex'),
    attachmentIds: input.attachmentIds ?? [],
    acceptable: checked.header !== undefined,
  });
  switch (verdict.kind) {
    case 'stored':
      return announce(deps, userId, input, verdict);
    case 'repeat':
      return seen(deps.db, userId, input.id);
    case 'not_found':
      throw notFound();
    case 'unacceptable':
      throw checked.problem;
    case 'attachment_unknown':
      throw new ParleyError('BAD_REQUEST', verdict.kind);
    default:
      throw new ParleyError('CONFLICT', verdict.kind);
  }
}

/** The envelope is looked at before, but spoken of after access and repeats: the order of checks is part of the contract. */
function examine({ env }: Deps, userId: string, input: z.output<typeof SendMessage>) {
  try {
    if (input.messageType === 'system') throw new ParleyError('BAD_REQUEST', 'system_message_refused');
    checkAttachments(input.attachmentIds ?? [], 2 * env.files.perMessage);
    const { id, conversationId, keyEpoch } = input;
    const expected = {
      type: 'message',
      conversationId,
      messageId: id,
      senderId: userId,
      keyEpoch,
      revision: 0,
    } as const;
    return { header: checkEnvelope(input.contentEncrypted, expected) };
  } catch (problem) {
    return { problem };
  }
}

function checkAttachments(ids: readonly string[], limit: number): void {
  if (ids.length > limit) throw new ParleyError('BAD_REQUEST', 'too_many_attachments', { limit });
  if (ids.length > 1 && new Set(ids).size < ids.length)
    throw new ParleyError('BAD_REQUEST', 'attachment_unknown', { message: 'an attachment is named twice' });
}

function announce(
  deps: Deps,
  userId: string,
  input: z.output<typeof SendMessage>,
  verdict: Verdict & { kind: 'stored' },
): MessageSeen {
  const { seq, version, createdAt, attachments, readBefore, readsHiddenAfter } = verdict;
  const { id, conversationId, contentEncrypted, keyEpoch, messageType } = input;
  const message: Message = {
    id,
    conversationId,
    seq,
    senderId: userId,
    contentEncrypted,
    keyEpoch,
    firstKeyEpoch: keyEpoch,
    messageType,
    attachments,
    isEdited: false,
    isDeleted: false,
    createdAt,
    editedAt: null,
    reactions: [],
    version,
  };
  deps.bus.publish({ kind: 'events', conversationId, events: [{ version, event: { type: 'message', message } }] });
  deps.offline.note(conversationId);
  // Who answers has read what came before; that his own message is read by him, every client knows from its sender.
  if (readBefore < seq - 1) tellAnswer(deps, { conversationId, userId, readsHiddenAfter, seq });
  return { ...message, reactions: [] };
}

async function seen(db: Db | Tx, userId: string, messageId: string): Promise<MessageSeen> {
  const [message] = await loadMessages(db, [messageId]);
  if (!message) throw notFound();
  return seenBy(userId, message);
}

/** An edit or tombstone whose bytes were accepted before is a retry. */
async function wasAccepted(tx: Tx, messageId: string, contentHash: Uint8Array): Promise<boolean> {
  const [row] = await tx
    .select({ revision: messageRevisions.revision })
    .from(messageRevisions)
    .where(and(eq(messageRevisions.messageId, messageId), eq(messageRevisions.hash, contentHash)));
  return row !== undefined;
}

interface Revision {
  readonly membership: Membership;
  readonly message: AccessedMessage;
  readonly contentEncrypted: string;
  readonly keyEpoch: number;
}

/** Replaces the content, remembers its hash, stamps the row; the previous ciphertext is gone for good. */
async function revise(
  { tx, emit }: Change,
  { membership, message, contentEncrypted, keyEpoch }: Revision,
  as: { isEdited: true; editedAt: SQL } | { isDeleted: true; attachments: null },
): Promise<Message> {
  const version = await takeVersions(tx, membership.conversationId, 1);
  const revision = message.revision + 1;
  await tx.insert(messageRevisions).values({ messageId: message.id, revision, hash: sha256(contentEncrypted) });
  await tx
    .update(messages)
    .set({ ...as, contentEncrypted, keyEpoch, revision, version, changedXid: currentXid })
    .where(eq(messages.id, message.id));
  const [current] = await loadMessages(tx, [message.id]);
  if (!current) throw new TypeError('a message just revised is missing');
  emit(membership.conversationId, version, { type: 'message', message: current });
  return current;
}

export function editMessage(deps: Deps, userId: string, input: z.output<typeof EditMessage>): Promise<MessageSeen> {
  return change(deps, async (step) => {
    const { membership, message } = await accessMessage(step.tx, userId, input.messageId, 'lock');
    if (message.senderId === userId && (await wasAccepted(step.tx, message.id, sha256(input.contentEncrypted))))
      return seen(step.tx, userId, message.id);
    if (message.senderId !== userId) throw new ParleyError('FORBIDDEN', 'not_the_author');
    if (message.isDeleted) throw new ParleyError('CONFLICT', 'message_deleted');
    const { contentEncrypted, keyEpoch } = input;
    const header = checkEnvelope(contentEncrypted, {
      type: 'edit',
      conversationId: membership.conversationId,
      messageId: message.id,
      senderId: userId,
      keyEpoch,
    });
    requireActive(membership);
    checkKeys(membership, header);
    if (header.revision !== message.revision + 1) throw new ParleyError('CONFLICT', 'revision_stale');
    return seenBy(
      userId,
      await revise(step, { membership, message, contentEncrypted, keyEpoch }, { isEdited: true, editedAt: sql`now()` }),
    );
  });
}

/** Leaves the signed tombstone; edits, attachments and reactions go. Deleting what is deleted succeeds. */
export function deleteMessage(
  deps: Deps,
  userId: string,
  input: z.output<typeof DeleteMessage>,
): Promise<{ success: true }> {
  return change(deps, async (step) => {
    const { membership, message } = await accessMessage(step.tx, userId, input.messageId, 'lock');
    if (message.isDeleted && (await wasAccepted(step.tx, message.id, sha256(input.contentEncrypted))))
      return { success: true };
    if (message.senderId !== userId) await requireMayRemove(step.tx, membership, message.senderId);
    if (message.isDeleted) return { success: true };
    const header = checkEnvelope(input.contentEncrypted, {
      type: 'delete',
      conversationId: membership.conversationId,
      messageId: message.id,
      senderId: userId,
      targetId: NIL_ID,
    });
    requireActive(membership);
    checkKeys(membership, header);
    if (header.revision !== message.revision + 1) throw new ParleyError('CONFLICT', 'revision_stale');
    await step.tx.delete(reactions).where(eq(reactions.messageId, message.id));
    await dropAttachments(step.tx, message);
    const { contentEncrypted } = input;
    const revision = { membership, message, contentEncrypted, keyEpoch: header.epoch };
    await revise(step, revision, { isDeleted: true, attachments: null });
    return { success: true };
  });
}

/** An admin removes anyone's message; a moderator those of members, also of members who left. */
async function requireMayRemove(tx: Tx, membership: Membership, authorId: string): Promise<void> {
  const [author] = await tx
    .select({ role: conversationParticipants.role })
    .from(conversationParticipants)
    .where(
      and(
        eq(conversationParticipants.conversationId, membership.conversationId),
        eq(conversationParticipants.userId, authorId),
      ),
    );
  const authorRole: Role = author?.role ?? 'member';
  const may = membership.role === 'admin' || (membership.role === 'moderator' && rankOf(authorRole) === 0);
  if (!may) throw new ParleyError('FORBIDDEN', 'not_the_author');
}
