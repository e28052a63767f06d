/** What my role lets me do to others in a group. Decides only what is offered; signed records decide what is valid. */
import type { ConversationView, ParticipantView, Role } from '#client/types';

export const ROLE_WORDS: Record<Role, string> = { admin: 'Admin', moderator: 'Moderator', member: 'Member' };

export const mayManage = (conversation: ConversationView) =>
  conversation.type === 'group' && conversation.isActive && conversation.myRole !== 'member';

export const maySetRoles = (conversation: ConversationView) =>
  mayManage(conversation) && conversation.myRole === 'admin';

export function mayRemove(conversation: ConversationView, person: ParticipantView): boolean {
  return maySetRoles(conversation) || (mayManage(conversation) && person.role === 'member');
}
