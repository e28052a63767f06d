/** The plans of the hot path are made once for each connection: they must not depend on how small the tables were at that moment. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newDb, type TestDb } from '../harness/db.ts';
import { newDirect, newUser, type Person, type Room, send } from '../harness/people.ts';
import { newServer, type TestServer } from '../harness/server.ts';

const MESSAGES = 200;

let db: TestDb;
let server: TestServer;
let ann: Person;
let bob: Person;
let room: Room;

beforeAll(async () => {
  db = await newDb();
  // PostgreSQL knows now that there is nothing, and that reading all of it costs nothing.
  await db.sql`vacuum analyze`;
  server = await newServer({ db });
  [ann, bob] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob')]);
  room = await newDirect(ann, bob);
});
afterAll(async () => {
  for (const person of [ann, bob]) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

test('a send looks up by key what it needs, however many messages there are, also where the plan was made without any', async () => {
  for (let i = 0; i < MESSAGES; i++) await send(ann, room, `number ${i}`);
  const seen = async () => {
    const [row] = await db.sql`
      select n_tup_ins::int as written, idx_tup_fetch::int as read, seq_tup_read::int as scanned
      from pg_stat_user_tables where relname = 'messages'`;
    return row;
  };
  await expect.poll(async () => (await seen())?.written, { timeout: 20_000 }).toBe(MESSAGES);
  const { read, scanned } = (await seen()) ?? {};
  expect(read).toBeLessThan(MESSAGES);
  expect(scanned).toBeLessThan(MESSAGES);
});
