/**
 * Two people, one message: `npx tsx examples/first-message.ts [url]` against a running server.
 * docs/sdk.md explains it piece by piece; tests/sdk.pg.test.ts runs it.
 */
import { createChat, SdkError } from '#client/index';
import { selectMessage, selectTick, selectTimeline } from '#client/select';
import type { Chat, ChatState } from '#client/types';

const url = process.argv[2] ?? 'http://localhost:3000';
const suffix = Date.now().toString(36);

const ann = createChat({ url });
const { recoveryKey } = await ann.register({
  username: `ann-${suffix}`,
  email: `ann-${suffix}@example.org`,
  displayName: 'Ann',
  password: 'four unrelated words here',
});
console.log('Ann keeps her recovery key:', recoveryKey.length, 'characters');

const bob = createChat({ url });
await bob.register({
  username: `bob-${suffix}`,
  email: `bob-${suffix}@example.org`,
  password: 'four other words here',
});

const [found] = await ann.api.users.search.query({ query: `bob-${suffix}` });
if (!found) throw new Error('Bob has just registered');
const conversationId = await ann.createDirect(found.id);

await ann.open(conversationId);
const id = ann.send(conversationId, { text: 'Hello Bob' });

/** Resolves as soon as the state has what one looks for. */
function until<T>(chat: Chat, look: (state: ChatState) => T | undefined | false): Promise<T> {
  return new Promise((resolve) => {
    const check = (state: ChatState) => {
      const found = look(state);
      if (!found) return;
      stop();
      resolve(found);
    };
    const stop = chat.store.subscribe(check);
    check(chat.store.getState());
  });
}

await until(bob, (state) => state.conversations[conversationId]);
await bob.open(conversationId);
const message = await until(bob, selectMessage(conversationId, id));
if (message.content.kind === 'text') console.log('Bob reads:', message.content.body);

bob.markRead(conversationId, message.seq ?? 0);
await until(ann, (state) => selectTick(conversationId, id)(state) === 'read');
console.log('Ann sees two coloured ticks');

bob.send(conversationId, { text: 'Hello Ann', replyTo: id });
await until(ann, (state) => selectTimeline(conversationId)(state)?.ids.length === 2);
await ann.react(conversationId, id, '👋');
await ann.edit(conversationId, id, 'Hello dear Bob');

try {
  await bob.edit(conversationId, id, 'Not mine');
} catch (error) {
  if (!(error instanceof SdkError)) throw error;
  console.log('Bob may not:', error.code, error.reason);
}

await Promise.all([ann.close(), bob.close()]);
