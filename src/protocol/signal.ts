/** Ephemeral server -> client signals: typing, presence, receipts. They have no cursor and may be dropped. */
import { z } from 'zod';
import { Id } from './ids.ts';
import { LIMITS } from './limits.ts';

export const PresenceStatus = z.enum(['online', 'away', 'offline']);
export type PresenceStatus = z.infer<typeof PresenceStatus>;

/** Last-seen is null while the person is online, and for people who share no conversation with the viewer. */
export const PresenceSignal = z.object({ userId: Id, status: PresenceStatus, lastSeenAt: z.string().nullable() });
export type PresenceSignal = z.infer<typeof PresenceSignal>;

export const TypingSignal = z.object({ conversationId: Id, userId: Id, isTyping: z.boolean(), at: z.string() });
export type TypingSignal = z.infer<typeof TypingSignal>;

export const ReceiptSignal = z.object({
  conversationId: Id,
  userId: Id,
  deliveredSeq: z.int(),
  readSeq: z.int(),
  at: z.string(),
  /** When many have come to the very same place at once: the others. Only for who asked for them `together`. */
  alike: z.array(Id).optional(),
});
export type ReceiptSignal = z.infer<typeof ReceiptSignal>;

export const SetTyping = z.object({ conversationId: Id, isTyping: z.boolean() });
export const SetPresence = z.object({ status: PresenceStatus });
export const PresenceIds = z.object({ userIds: z.array(Id).max(LIMITS.presenceIds) });
/** Without a conversation: of all conversations of the caller. */
export const SignalScope = z.object({ conversationId: Id.nullish() }).nullish();
/** `together`: many who have come to the same place at once may be told in one signal, see `alike`. */
export const ReceiptScope = z.object({ conversationId: Id.nullish(), together: z.boolean().optional() }).nullish();
