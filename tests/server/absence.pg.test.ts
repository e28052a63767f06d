/**
 * A long absence: thousands of messages, edits and deletes in many conversations, resumed on another node than before.
 * ABSENCE_MESSAGES sets how many (2,000 unless told).
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followLive, messagesIn } from '../harness/follow.ts';
import {
  draft,
  edit,
  newDirect,
  newGroup,
  newUser,
  type Person,
  react,
  remove,
  type Room,
  send,
} from '../harness/people.ts';
import { newProgram } from '../harness/program.ts';
import { newServer, type TestServer } from '../harness/server.ts';
import { sendMessage } from '#server/domain/messages';

const MESSAGES = Number(process.env.ABSENCE_MESSAGES ?? 2_000);
const ROOMS = 20;

let here: TestServer;
let there: TestServer;
let ann: Person;
let bob: Person;
let rooms: Room[];

beforeAll(async () => {
  here = await newServer();
  there = await newServer({ db: here.db });
  [ann, bob] = await Promise.all([newUser(here, 'ann'), newUser(here, 'bob')]);
  rooms = [await newDirect(ann, bob)];
  while (rooms.length < ROOMS) rooms.push(await newGroup(ann, [bob], `Room ${rooms.length}`));
});
afterAll(async () => {
  for (const person of [ann, bob]) await person[Symbol.asyncDispose]();
  await there[Symbol.asyncDispose]();
  await here[Symbol.asyncDispose]();
});

/** Bob as the other node knows him. */
const bobThere = async () =>
  newProgram(there, { token: (await there.deps.tokens.sign(bob.userId, bob.sessionId)).token });

test(`[P7][P8][R4][R9][N1] away for ${MESSAGES} messages, edits and deletes: complete, in order, on another node`, async () => {
  let cursor: string;
  {
    using feed = await followLive(bob);
    cursor = feed.ids.at(-1) ?? '';
  }
  const all: { room: Room; id: string }[] = [];
  for (let i = 0; i < MESSAGES; i += 100) {
    const drafts = await Promise.all(
      Array.from({ length: 100 }, async (_, k) => {
        const room = rooms[(i + k) % ROOMS] as Room;
        return { room, input: await draft(ann, room, `message ${i + k}`.padEnd(120, '.')) };
      }),
    );
    await Promise.all(drafts.map(({ input }) => sendMessage(here.deps, ann.userId, { messageType: 'text', ...input })));
    all.push(...drafts.map(({ room, input }) => ({ room, id: input.id })));
  }
  const edited = all.filter((_, i) => i % 20 === 0);
  const deleted = all.filter((_, i) => i % 50 === 1);
  for (const { room, id } of edited) await edit(ann, room, id, 'edited');
  for (const { room, id } of deleted) await remove(ann, room, id);

  const program = await bobThere();
  const began = performance.now();
  using feed = await followLive(program, cursor);
  console.log(`caught up with ${feed.items.length} events in ${Math.round(performance.now() - began)} ms`);
  const seen = messagesIn(feed.items);
  expect(seen).toHaveLength(MESSAGES);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(MESSAGES);
  expect(seen.filter(({ isEdited }) => isEdited)).toHaveLength(edited.length);
  expect(seen.filter(({ isDeleted }) => isDeleted)).toHaveLength(deleted.length);
  for (const room of rooms) {
    const seqs = seen.filter((m) => m.conversationId === room.id).map(({ seq }) => seq);
    expect([...seqs].sort((a, b) => a - b)).toEqual(Array.from({ length: MESSAGES / ROOMS }, (_, i) => i + 1));
  }
  await program[Symbol.asyncDispose]();
});

test('[P13] what was missed is, field by field, what a page of history shows, wherever the database thinks it is', async () => {
  const { sql } = here.deps;
  const [{ name }] = (await sql`select current_database() as name`) as unknown as [{ name: string }];
  await sql.unsafe(`alter database ${name} set timezone to 'Asia/Kolkata'`);
  await using elsewhere = await newServer({ db: here.db });
  const room = await newGroup(ann, [bob], 'All sorts');
  let cursor: string;
  {
    using feed = await followLive(bob);
    cursor = feed.ids.at(-1) ?? '';
  }
  const [plain, edited, removed, loved, attached] = await Promise.all(
    ['plain', 'to be edited', 'to be removed', 'loved', 'with files'].map((text) => send(ann, room, text)),
  );
  await edit(ann, room, edited?.id ?? '', 'edited');
  await remove(ann, room, removed?.id ?? '');
  await react(ann, room, loved?.id ?? '', '👍');
  await react(bob, room, loved?.id ?? '', '🎉');
  await react(bob, room, loved?.id ?? '', '👍');
  await react(bob, room, plain?.id ?? '', '👍');
  const files = [{ id: crypto.randomUUID(), size: 12_345 }];
  await sql`update messages set attachments = ${JSON.stringify(files)}::text::jsonb where id = ${attached?.id ?? ''}`;

  await using program = newProgram(elsewhere, {
    token: (await elsewhere.deps.tokens.sign(bob.userId, bob.sessionId)).token,
  });
  using feed = await followLive(program, cursor);
  const { messages } = await program.api.messages.list.query({ conversationId: room.id });
  const shown = messages.map(({ reactions, ...message }) => ({
    ...message,
    reactions: reactions.map(({ tag, count, sample, userIds }) => ({ tag, count, sample, userIds })),
  }));
  const missed = messagesIn(feed.items).sort((a, b) => b.seq - a.seq);
  expect(missed).toEqual(shown);
  expect(missed.map(({ id }) => id).sort()).toEqual(
    [plain, edited, removed, loved, attached].map((one) => one?.id).sort(),
  );
  expect(missed.find(({ id }) => id === attached?.id)?.attachments).toEqual(files);
  const counts = (message?: { id: string }) =>
    missed.find(({ id }) => id === message?.id)?.reactions.map(({ count }) => count);
  expect([counts(loved), counts(plain), counts(edited)]).toEqual([[2, 1], [1], []]);
});
