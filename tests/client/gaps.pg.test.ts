/** A server that lies to one person, with the code it would run: the lie is in what that person's new device is given. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { decodeIdentity, fingerprint, fromBase64 } from '#crypto/verify';
import { must } from '#lib/must';
import { add } from '../crypto/people.ts';
import { draft, draftEpoch, type Person, type Room, seal, sealTitle } from '../harness/people.ts';
import { newComer } from '../harness/registration.ts';
import { newServer, type TestServer } from '../harness/server.ts';
import { messagesOf, newChat, sameOn, stored, type TestChat, textsOf, until } from './people.ts';

let server: TestServer;
let ann: TestChat;
let bob: TestChat;
let cyd: TestChat;

beforeAll(async () => {
  server = await newServer();
  [ann, bob, cyd] = await Promise.all([newChat(server.url), newChat(server.url), newChat(server.url)]);
});
afterAll(async () => {
  await Promise.all([ann, bob, cyd].map((person) => person?.[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

async function say(person: TestChat, id: string, text: string, replyTo: string | null = null): Promise<string> {
  const sent = person.chat.send(id, { text, replyTo });
  await stored(person.chat, id, sent);
  await Promise.all([ann, bob].map(({ chat }) => until(chat, () => textsOf(chat, id).includes(text))));
  return sent;
}

const doubtsOf = (person: TestChat, id: string, messageId: string) =>
  messagesOf(person.chat, id).find((one) => one.id === messageId)?.doubts ?? [];

async function opened(id: string): Promise<TestChat> {
  const fresh = await sameOn(server.url, cyd);
  await until(fresh.chat, (state) => state.conversations[id]);
  await fresh.chat.open(id);
  return fresh;
}

it('[C86] a message that is left out for one person is missed as soon as somebody who has read it writes', async () => {
  const id = await ann.chat.createGroup('Gaps', [bob.id, cyd.id]);
  await until(bob.chat, (state) => state.conversations[id]);
  await Promise.all([ann, bob].map(({ chat }) => chat.open(id)));
  await say(ann, id, 'first');
  const second = await say(ann, id, 'second');
  const third = await say(bob, id, 'third');
  await say(ann, id, 'fourth');
  await server.db.sql`delete from messages where id = ${second}`;
  await using lied = await opened(id);
  expect(textsOf(lied.chat, id)).toEqual(['first', 'third', 'fourth']);
  await vi.waitFor(() => expect(doubtsOf(lied, id, third)).toEqual(['missing']), 10_000);
  // A reaction brings the message anew, and the doubt stays.
  await ann.chat.react(id, third, '👍');
  await until(lied.chat, () => messagesOf(lied.chat, id)[1]?.reactions.length === 1);
  expect(doubtsOf(lied, id, third)).toEqual(['missing']);
  expect(doubtsOf(ann, id, third)).toEqual([]);
});

it('[C86] what I wrote myself is what I have seen: nobody can leave it out unnoticed either', async () => {
  const id = await ann.chat.createGroup('Alone', [bob.id, cyd.id]);
  await until(bob.chat, (state) => state.conversations[id]);
  await Promise.all([ann, bob].map(({ chat }) => chat.open(id)));
  await say(ann, id, 'one');
  const two = await say(ann, id, 'two');
  const three = await say(ann, id, 'three', two);
  await server.db.sql`delete from messages where id = ${two}`;
  await using lied = await opened(id);
  await vi.waitFor(() => expect(doubtsOf(lied, id, three)).toContain('missing'), 10_000);
});

/** A group of somebody who is about to tell different people different things. */
async function hisGroup(mallory: Person, members: TestChat[]): Promise<Room> {
  const links = await mallory.api.keys.identities.query({ userIds: members.map(({ id }) => id) });
  const others = await Promise.all(
    links.map(async ({ userId, record }) => {
      const identity = decodeIdentity(fromBase64(record));
      return { ...mallory, userId, identity, fingerprint: await fingerprint(identity) };
    }),
  );
  const people = [mallory, ...others];
  const ops = [add(mallory, 2), ...others.map((person) => add(person))];
  const { authored, epoch } = await draftEpoch(mallory, people, { kind: 'create', ops });
  const room: Room = { id: authored.state.record.conversationId, epoch: authored, people };
  const title = await sealTitle(mallory, room, 'Two tongues', 0);
  const participantIds = members.map(({ id }) => id);
  await mallory.api.conversations.createGroup.mutate({ id: room.id, title, participantIds, epoch });
  return room;
}

it('[C86][C88] an author who writes to one person what others do not read is found out by who answers, until he edits it', async () => {
  await using mallory = await newComer(server, 'mallory');
  const room = await hisGroup(mallory, [ann, bob, cyd]);
  const { id } = room;
  await Promise.all([ann, bob].map(({ chat }) => until(chat, (state) => state.conversations[id])));
  await Promise.all([ann, bob].map(({ chat }) => chat.open(id)));
  const input = await draft(mallory, room, 'we meet at noon');
  await mallory.api.messages.send.mutate(input);
  await until(bob.chat, () => textsOf(bob.chat, id).includes('we meet at noon'));
  const answer = await say(bob, id, 'I shall be there', input.id);

  const other = await seal(mallory, room, { t: 'text', body: 'we meet at midnight' }, { messageId: input.id });
  await server.db.sql`update messages set content_encrypted = ${other} where id = ${input.id}`;
  await using lied = await opened(id);
  expect(textsOf(lied.chat, id)).toEqual(['we meet at midnight', 'I shall be there']);
  await vi.waitFor(() => expect([...doubtsOf(lied, id, answer)].sort()).toEqual(['answer', 'other']), 10_000);

  const revised = await seal(
    mallory,
    room,
    { t: 'text', body: 'noon' },
    { type: 'edit', messageId: input.id, revision: 1 },
  );
  const { keyEpoch } = input;
  await mallory.api.messages.edit.mutate({ messageId: input.id, keyEpoch, contentEncrypted: revised });
  await until(lied.chat, () => textsOf(lied.chat, id).includes('noon'));
  await vi.waitFor(() => expect(doubtsOf(lied, id, answer)).toEqual([]), 10_000);
  expect(doubtsOf(bob, id, must(messagesOf(bob.chat, id)[1], 'the answer').id)).toEqual([]);
});
