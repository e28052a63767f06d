/** Receipts: two watermarks per person and conversation, and what they say about one message. */
import { z } from 'zod';
import { Id } from './ids.ts';

export const SetStatus = z.object({ messageId: Id, status: z.enum(['delivered', 'read']) });
export const MessageRef = z.object({ messageId: Id });
/** One recipient of one message. */
export const MessageStatus = z.object({
  userId: Id,
  status: z.enum(['sent', 'delivered', 'read']),
  deliveredAt: z.string().nullable(),
  readAt: z.string().nullable(),
});
export type MessageStatus = z.infer<typeof MessageStatus>;

/** Advances beyond the last message are clamped; going backwards changes nothing. */
export const Advance = z.object({
  conversationId: Id,
  deliveredSeq: z.int().min(0).nullish(),
  readSeq: z.int().min(0).nullish(),
});
export const Watermarks = z.object({ conversationId: Id, deliveredSeq: z.int(), readSeq: z.int() });
