/** What I may do with a message. The server and everybody's client check again; this only decides what is offered. */
import type { ConversationView, MessageView } from '#client/types';

export interface Allowed {
  react: boolean;
  reply: boolean;
  edit: boolean;
  remove: boolean;
  receipts: boolean;
}

export function allowedOn(message: MessageView, conversation: ConversationView | undefined, me: string): Allowed {
  const mine = message.senderId === me;
  const there = message.send.step === 'stored' && !message.isDeleted && message.type !== 'system';
  const open = there && (conversation?.isActive ?? false);
  const text = message.content.kind === 'text';
  // Not sent yet: it can still be made another one, or none.
  const waits = mine && (message.send.step === 'waiting' || message.send.step === 'failed');
  return {
    react: open && text,
    reply: open && text,
    edit: (open || waits) && text && mine && message.type === 'text',
    remove: waits || (open && (mine || mayModerate(message, conversation))),
    receipts: there && mine && conversation?.type === 'group',
  };
}

/** Admins remove anybody's message, moderators those of plain members. */
function mayModerate(message: MessageView, conversation: ConversationView | undefined): boolean {
  if (conversation?.type !== 'group') return false;
  if (conversation.myRole === 'admin') return true;
  const author = conversation.participants.find(({ user }) => user.id === message.senderId);
  return conversation.myRole === 'moderator' && author?.role === 'member';
}
