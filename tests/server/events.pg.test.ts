/** Old state + the events = freshly fetched state, after every mutation there is, for everybody concerned. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fold, type Folded, type Fresh, fromFresh, inOneOrder, type News, toFresh } from '../harness/fold.ts';
import { followLive, watchReceipts } from '../harness/follow.ts';
import {
  draftEpoch,
  edit,
  newDirect,
  newGroup,
  newUser,
  op,
  type Person,
  react,
  remove,
  type Room,
  sealTitle,
  send,
} from '../harness/people.ts';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
let people: Person[];
let [ann, bob, cyd, dan]: Person[] = [];
let group: Room;

/** Somebody who fetches once and from then on only listens. */
interface Listener extends Disposable {
  readonly person: Person;
  readonly cursor: string;
  readonly before: Folded;
  state(): Folded;
}

async function fetchAll(person: Person): Promise<Fresh[]> {
  const { conversations } = await person.api.conversations.list.query({});
  return Promise.all(
    conversations.map(async (conversation) => {
      const { messages } = await person.api.messages.list.query({ conversationId: conversation.id, limit: 100 });
      return inOneOrder({ conversation, messages });
    }),
  );
}
const sorted = (list: Fresh[]) => list.sort((a, b) => a.conversation.id.localeCompare(b.conversation.id));

async function listen(person: Person): Promise<Listener> {
  const { cursor } = await person.api.sync.bootstrap.query();
  const before = fromFresh(await fetchAll(person));
  const receipts = watchReceipts(person);
  const feed = await followLive(person, cursor);
  return {
    person,
    cursor,
    before,
    state: () => {
      const news: News[] = [...feed.items, ...receipts.items.map((one) => ({ ...one, type: 'receipt' as const }))];
      const once = news.reduce((state, event) => fold(state, event, person.userId), before);
      // Everything again, in the order in which it came: what is old changes nothing.
      return feed.items.filter(({ type }) => type === 'message').reduce((s, e) => fold(s, e, person.userId), once);
    },
    [Symbol.dispose]() {
      feed[Symbol.dispose]();
      receipts[Symbol.dispose]();
    },
  };
}

let listeners: Listener[];
beforeAll(async () => {
  server = await newServer();
  people = await Promise.all(['ann', 'bob', 'cyd', 'dan'].map((name) => newUser(server, name)));
  [ann, bob, cyd, dan] = people;
  group = await newGroup(who(ann), [who(bob), who(dan)]);
  await newDirect(who(ann), who(bob));
  await send(who(bob), group, 'from before');
  listeners = await Promise.all(people.map(listen));
});
afterAll(async () => {
  for (const listener of listeners ?? []) listener[Symbol.dispose]();
  for (const person of people) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function who(person: Person | undefined): Person {
  if (!person) throw new Error('set in beforeAll');
  return person;
}

async function epochFor(
  author: Person,
  kind: 'rotate' | 'ratchet',
  change: Parameters<typeof draftEpoch>[2]['ops'],
  then = group.people,
) {
  const { authored, epoch } = await draftEpoch(author, then, { kind, ops: change }, group);
  return { epoch, accept: () => Object.assign(group, { epoch: authored, people: then }) };
}

const first = { id: '' };
const inGroup = () => ({ conversationId: group.id });
const acts: [name: string, act: () => Promise<unknown>][] = [
  ['send', async () => Object.assign(first, { id: (await send(who(ann), group, 'one')).id })],
  ['send by another', () => send(who(bob), group, 'two')],
  ['edit', () => edit(who(ann), group, first.id, 'one, edited')],
  ['react', () => react(who(bob), group, first.id, '🎉')],
  ['react by another with the same', () => react(who(dan), group, first.id, '🎉')],
  ['unreact', async () => who(bob).api.messages.unreact.mutate({ messageId: first.id, tag: await tagOf(first.id) })],
  ['receipts.advance', () => who(dan).api.receipts.advance.mutate({ ...inGroup(), readSeq: 1 })],
  ['setStatus', () => who(dan).api.messages.setStatus.mutate({ messageId: first.id, status: 'delivered' })],
  ['delete', () => remove(who(ann), group, first.id, 2)],
  ['update settings', () => who(ann).api.conversations.update.mutate({ ...inGroup(), settings: { colour: 'teal' } })],
  [
    'update title',
    async () =>
      who(ann).api.conversations.update.mutate({ ...inGroup(), title: await sealTitle(who(ann), group, 'New', 1) }),
  ],
  [
    'setRole',
    async () => {
      const { epoch, accept } = await epochFor(who(ann), 'ratchet', [op.role(who(bob), 1)]);
      await who(ann).api.conversations.setRole.mutate({
        ...inGroup(),
        userId: who(bob).userId,
        role: 'moderator',
        epoch,
      });
      accept();
    },
  ],
  [
    'addParticipant',
    async () => {
      const then = [...group.people, who(cyd)];
      const { epoch, accept } = await epochFor(who(ann), 'ratchet', [op.add(who(cyd))], then);
      await who(ann).api.conversations.addParticipant.mutate({ ...inGroup(), userId: who(cyd).userId, epoch });
      accept();
    },
  ],
  ['send to the newcomer', () => send(who(dan), group, 'welcome')],
  ['users.update', () => who(bob).api.users.update.mutate({ displayName: 'Bob the second' })],
  [
    'removeParticipant',
    async () => {
      const then = group.people.filter((person) => person !== cyd);
      const { epoch, accept } = await epochFor(who(ann), 'rotate', [op.remove(who(cyd))], then);
      await who(ann).api.conversations.removeParticipant.mutate({ ...inGroup(), userId: who(cyd).userId, epoch });
      accept();
    },
  ],
  ['leave', () => who(dan).api.conversations.removeParticipant.mutate({ ...inGroup(), userId: who(dan).userId })],
  [
    'rotate',
    async () => {
      const then = group.people.filter((person) => person !== dan);
      const { epoch, accept } = await epochFor(who(bob), 'rotate', [op.remove(who(dan))], then);
      await who(bob).api.keys.rotate.mutate({ ...inGroup(), epoch });
      accept();
    },
  ],
  ['send after the rotation', () => send(who(bob), group, 'three of us')],
  ['createDirect', () => newDirect(who(cyd), who(dan))],
  ['createGroup', () => newGroup(who(dan), [who(ann), who(bob), who(cyd)])],
  ['archive', () => who(ann).api.conversations.archive.mutate(inGroup())],
];

async function tagOf(messageId: string): Promise<string> {
  const { messages } = await who(bob).api.messages.list.query(inGroup());
  return messages.find(({ id }) => id === messageId)?.reactions[0]?.tag ?? '';
}

test.each(acts)('[P13] %s', async (_name, act) => {
  await act();
  for (const { person, state } of listeners) {
    const now = sorted(await fetchAll(person));
    await expect.poll(() => sorted(toFresh(state(), person.userId))).toEqual(now);
  }
});

test('[P8][P13][O2] whoever was away for all of it ends where the others are, with nothing but the last event id', async () => {
  for (const { person, cursor, before } of listeners) {
    using feed = await followLive(person, cursor);
    const after = feed.items.reduce((state, event) => fold(state, event, person.userId), before);
    expect(sorted(toFresh(after, person.userId))).toEqual(sorted(await fetchAll(person)));
  }
});
