/** Reactions: sealed emoji counted by blind tags, one of each per person and message. */
import { and, eq } from 'drizzle-orm';
import type { z } from 'zod';
import { bytesEqual, fromBase64 } from '#crypto/verify';
import { ParleyError } from '#protocol/errors';
import { LIMITS } from '#protocol/limits';
import type { React, ReactionSeen, Unreact } from '#protocol/message';
import { messages, reactions } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { accessMessage, requireActive } from './access.ts';
import { change, type Change, currentXid, takeVersions } from './change.ts';
import { checkEnvelope, checkKeys } from './envelopes.ts';
import { loadMessages, seenBy } from './present.ts';

/** A reaction is a change of its message: it takes a version and travels as the message's current state. */
async function touch({ tx, emit }: Change, conversationId: string, messageId: string): Promise<void> {
  const version = await takeVersions(tx, conversationId, 1);
  await tx.update(messages).set({ version, changedXid: currentXid }).where(eq(messages.id, messageId));
  const [message] = await loadMessages(tx, [messageId]);
  if (message) emit(conversationId, version, { type: 'message', message });
}

async function reactionsOf({ tx }: Change, userId: string, messageId: string): Promise<ReactionSeen[]> {
  const [message] = await loadMessages(tx, [messageId]);
  return message ? seenBy(userId, message).reactions : [];
}

export function react(deps: Deps, userId: string, input: z.output<typeof React>): Promise<ReactionSeen[]> {
  return change(deps, async (step) => {
    const { membership, message } = await accessMessage(step.tx, userId, input.messageId, 'lock');
    const [stored] = await step.tx.select().from(reactions).where(eq(reactions.id, input.id));
    const tag = fromBase64(input.tag);
    if (stored) {
      const same = stored.messageId === message.id && stored.userId === userId && bytesEqual(stored.tag, tag);
      if (!same || stored.contentEncrypted !== input.contentEncrypted)
        throw new ParleyError('CONFLICT', 'reaction_id_taken');
      return reactionsOf(step, userId, message.id);
    }
    if (message.isDeleted) throw new ParleyError('CONFLICT', 'message_deleted');
    const header = checkEnvelope(input.contentEncrypted, {
      type: 'reaction',
      conversationId: membership.conversationId,
      messageId: input.id,
      senderId: userId,
      targetId: message.id,
      aux: tag,
    });
    requireActive(membership);
    checkKeys(membership, header);
    const mine = await step.tx
      .select({ tag: reactions.tag })
      .from(reactions)
      .where(and(eq(reactions.messageId, message.id), eq(reactions.userId, userId)));
    if (mine.some((row) => bytesEqual(row.tag, tag))) throw new ParleyError('CONFLICT', 'already_reacted');
    if (mine.length >= LIMITS.reactionsPerPerson)
      throw new ParleyError('BAD_REQUEST', 'too_many_reactions', { limit: LIMITS.reactionsPerPerson });
    const { id, contentEncrypted } = input;
    await step.tx.insert(reactions).values({ id, messageId: message.id, userId, tag, contentEncrypted });
    await touch(step, membership.conversationId, message.id);
    return reactionsOf(step, userId, message.id);
  });
}

/** Taking back what is not there changes nothing. */
export function unreact(deps: Deps, userId: string, input: z.output<typeof Unreact>): Promise<ReactionSeen[]> {
  return change(deps, async (step) => {
    const { membership, message } = await accessMessage(step.tx, userId, input.messageId, 'lock');
    requireActive(membership);
    const removed = await step.tx
      .delete(reactions)
      .where(
        and(
          eq(reactions.messageId, message.id),
          eq(reactions.userId, userId),
          eq(reactions.tag, fromBase64(input.tag)),
        ),
      )
      .returning({ id: reactions.id });
    if (removed.length > 0) await touch(step, membership.conversationId, message.id);
    return reactionsOf(step, userId, message.id);
  });
}
