/** The log of all identities: one order for everybody, every entry over the one before. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newChat } from '../client/people.ts';
import { newProgram, type Program } from '../harness/program.ts';
import { newRegistration } from '../harness/registration.ts';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
let stranger: Program;
beforeAll(async () => {
  server = await newServer();
  stranger = newProgram(server);
});
afterAll(async () => {
  await stranger[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();

test('[C60] everybody who registers is in it, once, and many at once make one chain', async () => {
  const inputs = await Promise.all(Array.from({ length: 8 }, () => newRegistration()));
  await Promise.all(inputs.map((input) => stranger.api.auth.register.mutate(input)));
  const entries = await server.db.sql`select * from identity_log order by index`;
  expect(entries.map(({ user_id }) => String(user_id)).sort()).toEqual(inputs.map(({ id }) => id).sort());
  let before: Uint8Array = new Uint8Array(32);
  for (const [i, entry] of entries.entries()) {
    const record = inputs.find(({ id }) => id === entry.user_id)?.identity.record ?? '';
    const index = Buffer.alloc(8);
    index.writeUInt32BE(i + 1, 4);
    before = sha256(before, index, sha256(Buffer.from(record, 'base64')));
    expect(Number(entry.index)).toBe(i + 1);
    expect(Buffer.from(entry.hash as Uint8Array).equals(before)).toBe(true);
  }
});

test('[C75] from any point on, what the server lists leads to where it says that the log ends', async () => {
  await using ann = await newChat(server.url);
  const { head, mine } = await ann.chat.api.keys.log.query({ after: null });
  expect(mine).toEqual([{ index: head?.index, gen: 0 }]);
  await Promise.all([1, 2, 3].map(async () => stranger.api.auth.register.mutate(await newRegistration())));
  const later = await ann.chat.api.keys.log.query({ after: head?.index });
  let hash: Uint8Array = Buffer.from(head?.hash ?? '', 'base64');
  for (const [i, record] of later.entries.entries()) {
    const index = Buffer.alloc(8);
    index.writeUInt32BE((head?.index ?? 0) + i + 1, 4);
    hash = sha256(hash, index, Buffer.from(record, 'base64'));
  }
  expect(later.entries).toHaveLength(3);
  expect(Buffer.from(hash).toString('base64')).toBe(later.head?.hash);
  expect(ann.chat.store.getState().alarms).toEqual([]);
});
