/** Durable server -> client events: everything `feed.follow` yields, each with a resume id. One event per yield. */
import { z } from 'zod';
import { Conversation } from './conversation.ts';
import { Id } from './ids.ts';
import { Message } from './message.ts';
import { Participant } from './participant.ts';

export const FeedEvent = z.discriminatedUnion('type', [
  /** New, edited, deleted or reacted to: the message as it stands. */
  z.object({ type: z.literal('message'), message: Message }),
  z.object({ type: z.literal('conversation'), conversation: Conversation }),
  z.object({
    type: z.literal('participant'),
    conversationId: Id,
    userId: Id,
    /** Null once removed. */
    participant: Participant.nullable(),
    removed: z.boolean(),
    version: z.int(),
  }),
  z.object({ type: z.literal('keys'), conversationId: Id, epoch: z.int(), version: z.int() }),
  /** The cursor cannot be used: start again from `sync.bootstrap`. Never a silent gap (P10). */
  z.object({ type: z.literal('resync'), reason: z.enum(['malformed', 'foreign', 'behind']) }),
  /** Everything missed has been given; what follows happens now. */
  z.object({ type: z.literal('live') }),
]);
export type FeedEvent = z.infer<typeof FeedEvent>;
/** Whatever cannot be an id is answered like an id that cannot be used: with `resync`, never with an error. */
export const FollowInput = z.object({ lastEventId: z.string().nullish().catch('malformed') }).nullish();
