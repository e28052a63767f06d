/** What a resume costs the database: statements, and rows of answers, are counted on the wire between the server and PostgreSQL. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newDb, type TestDb } from '../harness/db.ts';
import { followLive, messagesIn } from '../harness/follow.ts';
import { edit, newDirect, newGroup, newUser, type Person, type Room, send } from '../harness/people.ts';
import { newProgram } from '../harness/program.ts';
import { newServer, type TestServer } from '../harness/server.ts';

/** PostgreSQL's frontend and backend protocol, chapter 54.7: Query and Execute go out, DataRow comes back. */
const RUNS = ['Q', 'E'];
const ROW = ['D'];

interface Counter extends AsyncDisposable {
  readonly url: string;
  statements: number;
  rows: number;
  /** Rows with a sealed message. */
  messages: number;
}
/** Shorter than any, longer than everything else that a resume reads. */
const MESSAGE_BYTES = 400;

/** Messages of these types. The first one of a client has no type. */
function counting(types: string[], seen: (size: number) => void, isUntyped = false): (chunk: Buffer) => void {
  const wanted = new Set(types.map((letter) => letter.charCodeAt(0)));
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = isUntyped ? 0 : 1;
      if (rest.length < head + 4) break;
      const size = head + rest.readUInt32BE(head);
      if (rest.length < size) break;
      if (!isUntyped && wanted.has(rest[0] ?? 0)) seen(size);
      isUntyped = false;
      rest = rest.subarray(size);
    }
  };
}

async function newCounter(databaseUrl: string): Promise<Counter> {
  const target = new URL(databaseUrl);
  const { port, hostname } = target;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const database = connect(Number(port), hostname);
    for (const socket of [client, database]) {
      open.add(socket);
      socket.on('error', () => {}).once('close', () => open.delete(socket));
    }
    client.on(
      'data',
      counting(RUNS, () => counter.statements++, true),
    );
    database.on(
      'data',
      counting(ROW, (size) => {
        counter.rows++;
        if (size > MESSAGE_BYTES) counter.messages++;
      }),
    );
    client.pipe(database);
    database.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  target.port = String(typeof address === 'object' && address ? address.port : 0);
  const counter: Counter = {
    url: target.href,
    statements: 0,
    rows: 0,
    messages: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
  return counter;
}

let db: TestDb;
let counter: Counter;
let server: TestServer;
let ann: Person;
let bob: Person;
let direct: Room;

beforeAll(async () => {
  db = await newDb();
  counter = await newCounter(db.url);
  // One connection, so that none is opened, with questions of its own, while we count.
  server = await newServer({ db: { ...db, url: counter.url }, env: { DATABASE_POOL: '2' } });
  [ann, bob] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob')]);
  direct = await newDirect(ann, bob);
  const rooms = [direct];
  for (let i = 0; i < 5; i++) rooms.push(await newGroup(ann, [bob], `Room ${i}`));
  for (const room of rooms) await send(ann, room, 'something to have missed before');
});
afterAll(async () => {
  for (const person of [ann, bob]) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await counter[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

const program = () => newProgram(server, { token: bob.token });

/** Bob has everything up to the cursor, and is gone. */
async function leftAt(): Promise<string | undefined> {
  const before = program();
  const feed = await followLive(before);
  const cursor = feed.ids.at(-1);
  feed[Symbol.dispose]();
  await before[Symbol.asyncDispose]();
  // The node's own rounds end with its last follower.
  await expect.poll(() => server.deps.hub.snapshot).toBeUndefined();
  return cursor;
}

test('[P7][R9] with nothing missed, a resume costs two statements', async () => {
  const cursor = await leftAt();
  const started = counter.statements;
  await using again = program();
  using resumed = await followLive(again, cursor);
  const cost = counter.statements - started;
  expect(resumed.items).toEqual([{ type: 'live' }]);
  expect(cost).toBeLessThanOrEqual(2);
});

test('[P7] of a large group, who has changed is read, and nobody else', async () => {
  const others = await Promise.all(Array.from({ length: 40 }, (_, i) => newUser(server, `cyd${i}`)));
  const big = await newGroup(ann, [bob, ...others], 'Everybody');
  await send(bob, big, 'hello all');
  const cursor = await leftAt();
  await ann.api.receipts.advance.mutate({ conversationId: big.id, deliveredSeq: 1, readSeq: 1 });
  const resume = async () => {
    const started = counter.rows;
    await using again = program();
    using resumed = await followLive(again, cursor);
    const change = { type: 'participant', participant: { user: { id: ann.userId } } };
    expect(resumed.items).toMatchObject([change, { type: 'live' }]);
    return counter.rows - started;
  };
  // A new connection to the database asks questions of its own.
  const rows = Math.min(await resume(), await resume());
  expect(rows).toBeLessThan(10);
  for (const other of others) await other[Symbol.asyncDispose]();
});

test('[P7] what somebody else was just given is not read again, and is what it is now all the same', async () => {
  const cursor = await leftAt();
  const sent = [];
  for (let i = 0; i < 30; i++) sent.push(await send(ann, direct, `missed ${i}`));
  const resume = async () => {
    const started = counter.messages;
    await using again = program();
    using resumed = await followLive(again, cursor);
    return { messages: messagesIn(resumed.items), read: counter.messages - started };
  };
  const first = await resume();
  const second = await resume();
  expect(second.messages).toEqual(first.messages);
  expect(first.messages.map(({ id }) => id)).toEqual(sent.map(({ id }) => id));
  expect([first.read, second.read]).toEqual([30, 0]);
  const one = sent[7]?.id ?? '';
  const edited = await edit(ann, direct, one, 'not missed at all');
  const third = await resume();
  expect(third.messages.find(({ id }) => id === one)).toMatchObject({
    contentEncrypted: edited.contentEncrypted,
    isEdited: true,
  });
  expect(third.messages).toHaveLength(30);
  expect(third.read).toBe(1);
});
