/** The last message in one line. */
import type { Content, ConversationView, MessageView } from '#client/types';
import { filesLine } from '../files/words.ts';
import { firstName } from '../naming.ts';

export function contentLine(content: Content): string {
  switch (content.kind) {
    case 'text':
      return filesLine(content.files ?? [], content.body.replace(/```\w*\n?|\s+/g, ' ').trim());
    case 'deleted':
      return 'Message deleted';
    case 'unreadable':
      return 'Message that cannot be shown';
    case 'unsupported':
      return 'Message of a newer kind';
  }
}

/** Who says it: nobody is named where it is obvious. */
export function authorLine(conversation: ConversationView, message: MessageView, me: string): string {
  if (message.senderId === me) return 'You: ';
  if (conversation.type === 'direct') return '';
  const author = conversation.participants.find(({ user }) => user.id === message.senderId)?.user;
  return author ? `${firstName(author)}: ` : '';
}
