/** Owns the way from what the wire carries and the keyring opens to what a screen shows. */
import type { Conversation, ConversationSeen } from '#protocol/conversation';
import type { Message, Reaction } from '#protocol/message';
import type { Participant } from '#protocol/participant';
import type { OpenedMessage } from './keyring/opener.ts';
import type { OpenedTitle } from './keyring/titles.ts';
import type { ConversationFrame } from './state/change.ts';
import { NO_ACTS } from './state/layers.ts';
import { tallied } from './state/unread.ts';
import type { ConversationView, MessageView, ParticipantView, ReactionView } from './types.ts';

export function toMessageView(message: Message, opened: OpenedMessage, me: string): MessageView {
  return {
    id: message.id,
    conversationId: message.conversationId,
    seq: message.seq,
    senderId: message.senderId,
    type: message.messageType,
    content: opened.content,
    isEdited: message.isEdited,
    isDeleted: message.isDeleted,
    createdAt: message.createdAt,
    editedAt: message.editedAt,
    reactions: toReactionViews(message.reactions, opened.emojis, me),
    send: { step: 'stored' },
    acts: NO_ACTS,
    version: message.version,
    firstKeyEpoch: message.firstKeyEpoch,
    revision: opened.revision,
  };
}

export function toReactionViews(
  reactions: readonly Reaction[],
  emojis: Record<string, string | null>,
  me: string,
): ReactionView[] {
  return reactions.map(({ tag, count, userIds }) => ({
    tag,
    emoji: emojis[tag] ?? null,
    count,
    mine: userIds.includes(me),
    userIds,
  }));
}

export function toParticipantView(participant: Participant, version: number): ParticipantView {
  return { ...participant, version };
}

export function toFrame(conversation: Conversation, title: OpenedTitle, me: string): ConversationFrame {
  const mine = conversation.participants.find(({ user }) => user.id === me);
  return {
    id: conversation.id,
    type: conversation.type,
    createdBy: conversation.createdBy,
    isActive: conversation.isActive,
    lastMessageAt: conversation.lastMessageAt,
    lastSeq: conversation.lastSeq,
    settings: conversation.settings,
    keyEpoch: conversation.keyEpoch,
    rekeyRequired: conversation.rekeyRequired,
    version: conversation.version,
    title: title.title,
    topic: title.topic,
    avatar: title.avatar,
    naming: title.naming,
    titleRevision: title.revision,
    participants: conversation.participants.map((one) => toParticipantView(one, conversation.version)),
    myRole: mine?.role ?? 'member',
    myReadSeq: mine?.readSeq ?? 0,
  };
}

export function toConversationView(
  seen: ConversationSeen,
  opened: { title: OpenedTitle; lastMessage: OpenedMessage | undefined },
  me: string,
): ConversationView {
  const { lastMessage, unreadCount, lastSeq, mutedUntil } = seen;
  return {
    ...toFrame(seen, opened.title, me),
    lastMessage: lastMessage && opened.lastMessage ? toMessageView(lastMessage, opened.lastMessage, me) : null,
    unreadCount,
    mutedUntil,
    tally: tallied(lastSeq),
    unreadStale: false,
  };
}
