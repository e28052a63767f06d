/** Messages: sealed content in a clear frame. What a message says, answers or previews is inside its envelope. */
import { z } from 'zod';
import { base64, base64Of } from './bytes.ts';
import { Attachment } from './file.ts';
import { Counter, Id } from './ids.ts';
import { LIMITS } from './limits.ts';

export const MessageType = z.enum(['text', 'image', 'file', 'system', 'voice']);
export type MessageType = z.infer<typeof MessageType>;

/** One emoji (unknown to the server) on one message: how many, who, and one sealed sample to open it from. */
export const Reaction = z.object({
  tag: z.string(),
  count: z.int(),
  sample: z.string(),
  userIds: z.array(Id),
});
export type Reaction = z.infer<typeof Reaction>;

/** A message as it stands now. Frames of the feed are shared, so nothing in it depends on who looks. */
export const Message = z.object({
  id: Id,
  conversationId: Id,
  /** 1, 2, 3 ... in the conversation, without gaps: the one order that every client shows. */
  seq: z.int(),
  senderId: Id,
  /** The envelope in base64; the signed tombstone once deleted. */
  contentEncrypted: z.string(),
  keyEpoch: z.int(),
  /** The epoch the message was first sealed in: reaction tags are derived from it, and edits leave it as it is. */
  firstKeyEpoch: z.int(),
  messageType: MessageType,
  /** In the order in which they were sent; none once deleted. */
  attachments: z.array(Attachment),
  isEdited: z.boolean(),
  isDeleted: z.boolean(),
  createdAt: z.string(),
  editedAt: z.string().nullable(),
  reactions: z.array(Reaction),
  /** The conversation's version at the last change: apply a message only if its version is newer. */
  version: z.int(),
});
export type Message = z.infer<typeof Message>;

/** The same for one viewer, as queries and mutations answer. */
export const ReactionSeen = Reaction.extend({ mine: z.boolean() });
export type ReactionSeen = z.infer<typeof ReactionSeen>;
export const MessageSeen = Message.extend({ reactions: z.array(ReactionSeen) });
export type MessageSeen = z.infer<typeof MessageSeen>;

export const Envelope = base64(LIMITS.contentEncrypted);
/** An envelope whose form is judged once, where it is read: who is no member, or may not edit, is told that first. */
const Judged = z.string().max(LIMITS.contentEncrypted);

export const SendMessage = z.object({
  id: Id,
  conversationId: Id,
  contentEncrypted: Judged,
  keyEpoch: Counter,
  messageType: MessageType.default('text'),
  /** Complete uploads of the sender's own to this conversation, which hang on no other message. */
  attachmentIds: z.array(Id).max(LIMITS.attachments).optional(),
});
export type SendMessage = z.infer<typeof SendMessage>;
export const EditMessage = z.object({ messageId: Id, contentEncrypted: Judged, keyEpoch: Counter });
export const DeleteMessage = z.object({ messageId: Id, contentEncrypted: Judged });
export const ReactionTag = base64Of(32);
export const React = z.object({ messageId: Id, id: Id, tag: ReactionTag, contentEncrypted: Envelope });
export const Unreact = z.object({ messageId: Id, tag: ReactionTag });

export const ListMessages = z.object({
  conversationId: Id,
  limit: z.int().min(1).max(LIMITS.page).default(LIMITS.pageDefault),
  cursor: z.string().max(200).nullish(),
  /** A message id: the page with it in the middle. */
  around: Id.nullish(),
});
export const MessagePage = z.object({
  /** Newest first. */
  messages: z.array(MessageSeen),
  /** What the caller can see, tombstones included. */
  total: z.int(),
  /** Towards older messages; null at the beginning. */
  nextCursor: z.string().nullable(),
  /** Towards newer messages; null at the end. */
  prevCursor: z.string().nullable(),
});
