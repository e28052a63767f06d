/**
 * A long absence: thousands of messages, edits and deletes in many conversations, resumed on another node than before.
 * ABSENCE_MESSAGES sets how many (2,000 unless told).
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followLive, messagesIn } from '../harness/follow.ts';
import { draft, edit, newDirect, newGroup, newUser, type Person, remove, type Room } from '../harness/people.ts';
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
