/** More than can be done: said at once and in plain words, while what was taken in is still done (P18). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { uuidv7 } from 'uuidv7';
import { sendMessage } from '#server/domain/messages';
import { draft, newDirect, newUser, type Person, type Room, send } from '../harness/people.ts';
import { newServer, type TestServer } from '../harness/server.ts';

/** What the writer holds for one of its lanes. */
const WAITING = 10_000;

let server: TestServer;
let ann: Person;
let bob: Person;
let room: Room;

beforeAll(async () => {
  server = await newServer();
  [ann, bob] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob')]);
  room = await newDirect(ann, bob);
});
afterAll(async () => {
  for (const person of [ann, bob]) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test('[P18] a conversation that is stuck: what waits is bounded, the rest is told to come later, nothing is lost', async () => {
  await send(ann, room, 'before');
  const waiting: Promise<unknown>[] = [];
  const codes = new Map<string, number>();
  const { id, ...input } = await draft(ann, room, 'while it is stuck');
  let late: Promise<{ seq: number }> | undefined;
  await server.db.sql.begin(async (tx) => {
    await tx`select from conversations where id = ${room.id} for update`;
    late = sendMessage(server.deps, ann.userId, { id, messageType: 'text', ...input });
    // Envelopes that do not fit their ids: they would be refused, but wait for their turn like all others.
    for (let i = 0; i < WAITING + 500; i++) {
      const one = sendMessage(server.deps, ann.userId, { id: uuidv7(), messageType: 'text', ...input });
      waiting.push(one.catch((error: { code: string }) => codes.set(error.code, (codes.get(error.code) ?? 0) + 1)));
    }
    await expect.poll(() => codes.get('TOO_MANY_REQUESTS') ?? 0).toBeGreaterThan(0);
  });
  await Promise.all(waiting);
  expect((await late)?.seq).toBe(2);
  expect([...codes.keys()].sort()).toEqual(['BAD_REQUEST', 'TOO_MANY_REQUESTS']);
  expect(codes.get('TOO_MANY_REQUESTS')).toBeLessThanOrEqual(501);
  expect((await send(ann, room, 'after')).seq).toBe(3);
});
