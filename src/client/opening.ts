/** Owns turning answers of the server into views: everything sealed in them goes to the keyring in one call. */
import type { ConversationSeen } from '#protocol/conversation';
import type { Message } from '#protocol/message';
import { type Context, meOf } from './context.ts';
import { inSdkWords } from './errors.ts';
import { must } from '#lib/must';
import type { ConversationView, MessageView } from './types.ts';
import { toConversationView, toMessageView } from './views.ts';

export async function openMessages(context: Context, messages: Message[]): Promise<MessageView[]> {
  if (messages.length === 0) return [];
  const me = meOf(context);
  const opened = await inSdkWords(context.keyring.openMessages(messages));
  const views = messages.map((message, i) =>
    context.gaps.marked(toMessageView(message, must(opened[i], 'one for each'), me)),
  );
  context.unreadable.note(context, views);
  context.gaps.note(context, messages, opened);
  return views;
}

export async function openConversations(context: Context, seen: ConversationSeen[]): Promise<ConversationView[]> {
  if (seen.length === 0) return [];
  const me = meOf(context);
  const last = seen.flatMap(({ lastMessage }) => (lastMessage ? [lastMessage] : []));
  const titles = await inSdkWords(context.keyring.openTitles(seen.map(({ id, title }) => ({ id, title }))));
  const opened = await inSdkWords(context.keyring.openMessages(last));
  const byId = new Map(last.map((message, i) => [message.id, opened[i]]));
  const views = seen.map((conversation, i) => {
    const title = must(titles[i], 'one for each');
    return toConversationView(conversation, { title, lastMessage: byId.get(conversation.lastMessage?.id ?? '') }, me);
  });
  context.unreadable.note(
    context,
    views.flatMap(({ lastMessage }) => lastMessage ?? []),
  );
  return views;
}

/** Asks for conversations whose feed events came before they were known here, and for counts that went stale. */
export async function refreshConversations(context: Context, ids: Iterable<string>): Promise<void> {
  const answers = await Promise.all([...ids].map((id) => seen(context, id)));
  const conversations = await openConversations(
    context,
    answers.filter((answer) => answer !== null),
  );
  if (conversations.length > 0) context.store.apply({ type: 'conversations', conversations });
}

/** Null when I am not in it any more. */
async function seen({ api }: Context, conversationId: string): Promise<ConversationSeen | null> {
  try {
    return await inSdkWords(api.conversations.get.query({ conversationId }));
  } catch (error) {
    if ((error as { code?: string }).code === 'NOT_FOUND') return null;
    throw error;
  }
}
