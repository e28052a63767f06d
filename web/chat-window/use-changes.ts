/** What happened to people and keys in the open conversation, and the names of those who are not in it any more. */
import { useEffect, useState } from 'react';
import { selectConversation } from '#client/select';
import type { ChangeLine } from '#client/types';
import { chat, peekChat, useChat } from '../chat.ts';

export interface Changes {
  lines: ChangeLine[];
  /** Of people whom the store does not know. */
  names: Record<string, string>;
}

const NOTHING: Changes = { lines: [], names: {} };
/** What one call of users.byIds takes. */
const MOST = 100;

/** Undefined until known, so that nothing moves when it comes; then never again. */
export function useChanges(conversationId: string): Changes | undefined {
  const conversation = useChat(selectConversation(conversationId));
  const epoch = conversation?.keyEpoch;
  const named = conversation?.naming?.at;
  const [changes, setChanges] = useState<Changes>();
  useEffect(() => {
    if (epoch === undefined) return;
    let current = true;
    find(conversationId).then(
      (found) => current && setChanges(found),
      // Lines are a courtesy: the conversation is shown without them.
      () => current && setChanges((known) => known ?? NOTHING),
    );
    return () => {
      current = false;
    };
  }, [conversationId, epoch, named]);
  return changes;
}

async function find(conversationId: string): Promise<Changes> {
  const lines = await chat.changes(conversationId);
  const people = lines.flatMap(({ authorId, changes }) => [authorId, ...changes.map(({ userId }) => userId)]);
  const { users } = peekChat();
  const unknown = [...new Set(people)].filter((id) => !users[id]).slice(0, MOST);
  if (unknown.length === 0) return { lines, names: {} };
  const found = await chat.api.users.byIds.query({ userIds: unknown }).catch(() => []);
  return { lines, names: Object.fromEntries(found.map(({ id, displayName }) => [id, displayName])) };
}
