/** Title, settings and archiving of a group. */
import { eq } from 'drizzle-orm';
import type { z } from 'zod';
import type { ConversationSeen, UpdateConversation } from '#protocol/conversation';
import { ParleyError } from '#protocol/errors';
import { conversations } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { lockConversation, type Membership, requireActive, requireRole } from './access.ts';
import { change, type Change, currentXid, takeVersions } from './change.ts';
import { seeConversation } from './conversation-list.ts';
import { checkEnvelope, checkKeys } from './envelopes.ts';
import { loadConversations } from './present.ts';

type OwnFields = Partial<Pick<typeof conversations.$inferInsert, 'title' | 'titleRevision' | 'settings' | 'isActive'>>;

async function setOwn({ tx, emit }: Change, membership: Membership, fields: OwnFields): Promise<ConversationSeen> {
  const { conversationId } = membership;
  const version = await takeVersions(tx, conversationId, 1);
  await tx
    .update(conversations)
    .set({ ...fields, ownVersion: version, ownXid: currentXid })
    .where(eq(conversations.id, conversationId));
  const conversation = (await loadConversations(tx, [conversationId])).get(conversationId);
  if (conversation) emit(conversationId, version, { type: 'conversation', conversation });
  return seeConversation(tx, membership);
}

/** The title already stored is a retry; any other must be the next revision, sealed for the current epoch. `settings` replaces what is there. */
export function updateConversation(deps: Deps, userId: string, input: z.output<typeof UpdateConversation>) {
  return change(deps, async (step) => {
    const membership = await lockConversation(step.tx, userId, input.conversationId);
    const newTitle = input.title !== undefined && input.title !== membership.title ? input.title : undefined;
    if (newTitle === undefined && input.settings === undefined) return seeConversation(step.tx, membership);
    requireRole(membership, 'moderator');
    requireActive(membership);
    const fields: OwnFields = input.settings === undefined ? {} : { settings: input.settings };
    if (newTitle !== undefined) {
      const header = checkEnvelope(newTitle, {
        type: 'meta',
        conversationId: membership.conversationId,
        messageId: membership.conversationId,
        senderId: userId,
      });
      checkKeys(membership, header);
      if (header.revision !== membership.titleRevision + 1) throw new ParleyError('CONFLICT', 'revision_stale');
      Object.assign(fields, { title: newTitle, titleRevision: header.revision });
    }
    return setOwn(step, membership, fields);
  });
}

/** Soft: nothing is deleted, the group disappears from lists and takes no more changes. */
export function archiveConversation(deps: Deps, userId: string, conversationId: string) {
  return change(deps, async (step) => {
    const membership = await lockConversation(step.tx, userId, conversationId);
    requireRole(membership, 'admin');
    if (!membership.isActive) return seeConversation(step.tx, membership);
    return setOwn(step, membership, { isActive: false });
  });
}
