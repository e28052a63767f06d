/** SDK clients of a test server, signed up and ready; closed at the end of their scope. */
import { createChat } from '#client/index';
import type { Chat, ChatState, MessageView } from '#client/types';
import { must } from '#lib/must';

export interface TestChat extends AsyncDisposable {
  chat: Chat;
  id: string;
  username: string;
  password: string;
  recoveryKey: string;
}

let count = 0;

export async function newChat(url: string): Promise<TestChat> {
  const chat = createChat({ url });
  const username = `person${++count}x${Math.random().toString(36).slice(2, 8)}`;
  const password = `a long password of ${username}`;
  const { recoveryKey } = await chat.register({ username, email: `${username}@example.org`, password });
  return { chat, id: meOf(chat), username, password, recoveryKey, [Symbol.asyncDispose]: () => chat.close() };
}

/** The same person on another device. */
export async function sameOn(url: string, person: TestChat): Promise<TestChat> {
  const chat = createChat({ url });
  await chat.login({ login: person.username, password: person.password });
  return { ...person, chat, [Symbol.asyncDispose]: () => chat.close() };
}

export function meOf(chat: Chat): string {
  const { session } = chat.store.getState();
  if (session.status !== 'signed-in') throw new Error('not signed in');
  return session.me.id;
}

/** Resolves with what the test waits for, as soon as the state has it. */
export function until<T>(chat: Chat, look: (state: ChatState) => T | undefined | false | null): Promise<T> {
  return new Promise((resolve, reject) => {
    const found = look(chat.store.getState());
    if (found) return resolve(found);
    const deadline = setTimeout(() => {
      stop();
      reject(new Error(`never came: ${look}\n${JSON.stringify(chat.store.getState().connection)}`));
    }, 25_000);
    const stop = chat.store.subscribe((state) => {
      const now = look(state);
      if (!now) return;
      clearTimeout(deadline);
      stop();
      resolve(now);
    });
  });
}

export const stored = (chat: Chat, conversationId: string, id: string): Promise<MessageView> =>
  until(chat, (state) => {
    const message = state.timelines[conversationId]?.byId.get(id);
    return message?.send.step === 'stored' ? message : undefined;
  });

export function messagesOf(chat: Chat, conversationId: string): MessageView[] {
  const timeline = chat.store.getState().timelines[conversationId];
  return (timeline?.ids ?? []).map((id) => must(timeline?.byId.get(id), 'every id has its message'));
}

export const textsOf = (chat: Chat, conversationId: string): string[] =>
  messagesOf(chat, conversationId).map(({ content }) => (content.kind === 'text' ? content.body : `<${content.kind}>`));
