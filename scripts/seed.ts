/**
 * `npm run seed`: a believable workspace, made through the SDK and therefore encrypted like any other. Uses the running
 * server (PUBLIC_URL, default http://localhost:3000), or starts one for as long as it takes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Chat, createChat } from '#client/index';
import { must } from '#lib/must';
import { DIRECTS, EMOJI, GROUPS, LINES, type Name, PASSWORD, PEOPLE, type Topic } from './seed-data.ts';

const url = process.env.PUBLIC_URL ?? `http://localhost:${process.env.PORT ?? '3000'}`;
const chats = new Map<Name, Chat>();
const chatOf = (name: Name) => must(chats.get(name), 'everyone has a chat');
const idOf = (name: Name) => {
  const { session } = chatOf(name).store.getState();
  if (session.status !== 'signed-in') throw new Error(`${name} is not signed in`);
  return session.me.id;
};

/** The same workspace each time: a small seeded generator instead of chance. */
let state = 20_261_122;
const random = () => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};
const pick = <T>(from: readonly T[]): T => must(from[Math.floor(random() * from.length)], 'never empty');
const fill = (line: string) => line.replace(/\{([^}]*)\}/g, (_, words: string) => pick(words.split('|')));

const reachable = () =>
  fetch(`${url}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );

async function ensureServer(): Promise<ChildProcess | null> {
  if (await reachable()) return null;
  console.log(`No server at ${url}; starting one for the seed.`);
  const child = spawn(process.execPath, ['scripts/start.mjs'], { stdio: ['ignore', 'ignore', 'inherit'] });
  for (let i = 0; i < 240 && child.exitCode === null; i++) {
    if (await reachable()) return child;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  child.kill('SIGTERM');
  throw new Error(`No server came up at ${url}.`);
}

async function register(name: Name, displayName: string): Promise<void> {
  const chat = createChat({ url });
  await chat.register({ username: name, email: `${name}@example.org`, displayName, password: PASSWORD });
  chats.set(name, chat);
}

/** Waits until the server has stored what was sent; the outbox itself keeps the order and repeats what fails. */
async function stored(chat: Chat, conversationId: string, messageId: string): Promise<void> {
  for (let i = 0; i < 3_000; i++) {
    const message = chat.store.getState().timelines[conversationId]?.byId.get(messageId);
    if (message?.send.step === 'stored') return;
    if (message?.send.step === 'failed') throw new Error(`a message was refused: ${message.send.reason}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('a message was not stored within 30 s');
}

async function talk(conversationId: string, people: Name[], topic: Topic, count: number): Promise<void> {
  for (const name of people) await chatOf(name).open(conversationId);
  const lines = LINES[topic];
  let last: { id: string; by: Name } | null = null;
  let speaker = pick(people);
  for (let sent = 0; sent < count; ) {
    for (const line of lines) {
      if (sent >= count || random() < 0.25) continue;
      const answers = line.startsWith('> ');
      if (answers || random() < 0.7) speaker = pick(people.filter((name) => name !== speaker));
      const chat = chatOf(speaker);
      const replyTo = answers && last && random() < 0.25 ? last.id : null;
      const id = chat.send(conversationId, { text: fill(answers ? line.slice(2) : line), replyTo });
      await stored(chat, conversationId, id);
      if (random() < 0.12) {
        const fan = chatOf(pick(people.filter((name) => name !== speaker)));
        await seen(fan, conversationId, id);
        await fan.react(conversationId, id, pick(EMOJI));
      }
      if (random() < 0.02) await chat.edit(conversationId, id, fill(`${line.replace(/^> /, '')} (corrected)`));
      if (random() < 0.008) await chat.remove(conversationId, id);
      last = { id, by: speaker };
      sent++;
    }
  }
  // Everyone but two has read everything, so that the list has something unread to show.
  for (const name of people.slice(0, -2)) {
    const lastSeq = chatOf(name).store.getState().conversations[conversationId]?.lastSeq ?? 0;
    chatOf(name).markRead(conversationId, lastSeq);
  }
}

async function seen(chat: Chat, conversationId: string, messageId: string): Promise<void> {
  for (let i = 0; i < 1_000; i++) {
    if (chat.store.getState().timelines[conversationId]?.byId.get(messageId)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('a message did not arrive within 10 s');
}

const started = await ensureServer();
try {
  try {
    for (const { username, displayName } of PEOPLE) await register(username, displayName);
  } catch (error) {
    if ((error as { reason?: string }).reason !== 'username_taken') throw error;
    console.log('The demo workspace is there already.');
  }
  if (chats.size === PEOPLE.length) {
    for (const { title, admin, members, topic, messages } of GROUPS) {
      const id = await chatOf(admin).createGroup(title, members.map(idOf));
      await talk(id, [admin, ...members], topic, messages);
      console.log(`${title}: ${messages} messages`);
    }
    for (const { between, topic, messages } of DIRECTS) {
      const [a, b] = between;
      const id = await chatOf(a).createDirect(idOf(b));
      await talk(id, [a, b], topic, messages);
    }
    console.log(`${DIRECTS.length} direct conversations`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  console.log(
    `\nLog in at ${url} as one of: ${PEOPLE.map(({ username }) => username).join(', ')}\nPassword for all of them: ${PASSWORD}`,
  );
} finally {
  await Promise.all([...chats.values()].map((chat) => chat.close()));
  if (started) {
    started.kill('SIGTERM');
    await once(started, 'exit');
  }
}
process.exit(0);
