/** Conversations: direct (two people, for ever the same) and groups (titled). */
import { z } from 'zod';
import { base64 } from './bytes.ts';
import { Id } from './ids.ts';
import { Epoch } from './keys.ts';
import { LIMITS } from './limits.ts';
import { MessageSeen } from './message.ts';
import { Participant } from './participant.ts';
import { text } from './text.ts';

export const ConversationType = z.enum(['direct', 'group']);
export type ConversationType = z.infer<typeof ConversationType>;

/** A conversation without anything that depends on the viewer, as the feed carries it. */
export const Conversation = z.object({
  id: Id,
  type: ConversationType,
  /** An envelope (type meta) in base64; null for direct conversations. */
  title: z.string().nullable(),
  createdBy: Id,
  createdAt: z.string(),
  isActive: z.boolean(),
  lastMessageAt: z.string(),
  lastSeq: z.int(),
  settings: z.record(z.string(), z.unknown()),
  participants: z.array(Participant),
  keyEpoch: z.int(),
  /** True when somebody left or changed keys: the next sender rotates the epoch first. */
  rekeyRequired: z.boolean(),
  /** Version of the conversation's own fields; messages and participants have their own. */
  version: z.int(),
});
export type Conversation = z.infer<typeof Conversation>;

/** The same for one viewer, as queries and mutations answer. */
export const ConversationSeen = Conversation.extend({
  lastMessage: MessageSeen.nullable(),
  /** Messages after my read watermark that are not mine. */
  unreadCount: z.int(),
  /** While this time has not come I am not told of messages outside of the page; null when I am. */
  mutedUntil: z.string().nullable(),
});
export type ConversationSeen = z.infer<typeof ConversationSeen>;

export const CreateDirect = z.object({ id: Id, userId: Id, epoch: Epoch });
export const CreateGroup = z.object({
  id: Id,
  title: base64(LIMITS.title),
  participantIds: z.array(Id),
  epoch: Epoch,
});
export const ListConversations = z
  .object({
    limit: z.int().min(1).max(LIMITS.page).default(LIMITS.pageDefault),
    cursor: z.string().max(200).nullish(),
  })
  .prefault({});
export const ConversationRef = z.object({ conversationId: Id });
/** Null ends it; a time in the year 9999 is for ever. */
export const MuteConversation = z.object({ conversationId: Id, until: z.iso.datetime({ offset: true }).nullable() });
/** Clients' own agreements, in clear: nothing that should be sealed belongs here. Counted as JSON. */
const Settings = z.record(text().max(64), z.unknown()).superRefine((value, issues) => {
  if (JSON.stringify(value).length <= LIMITS.settings) return;
  issues.addIssue({ code: 'too_big', origin: 'string', maximum: LIMITS.settings, inclusive: true, input: value });
});
export const UpdateConversation = z.object({
  conversationId: Id,
  title: base64(LIMITS.title).optional(),
  settings: Settings.optional(),
});
export const ConversationPage = z.object({
  /** Newest activity first. */
  conversations: z.array(ConversationSeen),
  total: z.int(),
  nextCursor: z.string().nullable(),
});
