/** What a conversation is called by the person looking at it. */
import type { ConversationView, User } from '#client/types';

export const othersOf = (conversation: ConversationView, me: string): User[] =>
  conversation.participants.map(({ user }) => user).filter(({ id }) => id !== me);

/** The other person of a direct conversation. */
export const partnerOf = (conversation: ConversationView, me: string): User | undefined =>
  conversation.type === 'direct' ? othersOf(conversation, me)[0] : undefined;

export function titleOf(conversation: ConversationView, me: string): string {
  if (conversation.type === 'direct') return partnerOf(conversation, me)?.displayName ?? 'Only you';
  if (conversation.title) return conversation.title;
  const names = othersOf(conversation, me).map(firstName);
  return names.length > 0 ? names.slice(0, 3).join(', ') : 'Group';
}

/** What the picture of a conversation is made from. */
export function faceOf(conversation: ConversationView, me: string) {
  const partner = partnerOf(conversation, me);
  const { id, type, avatar } = conversation;
  return { id: partner?.id ?? id, name: titleOf(conversation, me), group: type === 'group', picture: avatar };
}

export const firstName = (user: User): string => user.displayName.split(/\s+/)[0] ?? user.displayName;

/** "Ann", "Ann and Bo", "several people". */
export function typists(names: string[]): string {
  if (names.length > 2) return 'Several people are';
  return names.length === 2 ? `${names[0]} and ${names[1]} are` : `${names[0]} is`;
}
