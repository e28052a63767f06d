/** Mutes: for how long a person is not told of a conversation outside of the page. His own affair: no version, no event. */
import { and, eq, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { ConversationSeen, MuteConversation } from '#protocol/conversation';
import { conversationParticipants } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { accessConversation } from './access.ts';
import { seeConversation } from './conversation-list.ts';

export async function muteConversation(
  { db }: Deps,
  userId: string,
  { conversationId, until }: z.output<typeof MuteConversation>,
): Promise<ConversationSeen> {
  await accessConversation(db, userId, conversationId);
  const p = conversationParticipants;
  // Ended now rather than never begun: what came meanwhile is not told afterwards (jobs/message-delivery.ts).
  await db
    .update(p)
    .set({ mutedUntil: until === null ? sql`now()` : sql`${until}::timestamptz` })
    .where(and(eq(p.conversationId, conversationId), eq(p.userId, userId)));
  return seeConversation(db, await accessConversation(db, userId, conversationId));
}
