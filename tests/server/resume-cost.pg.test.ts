/** What a resume costs the database: statements are counted on the wire between the server and PostgreSQL. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newDb, type TestDb } from '../harness/db.ts';
import { followLive } from '../harness/follow.ts';
import { newDirect, newGroup, newUser, type Person, send } from '../harness/people.ts';
import { newProgram } from '../harness/program.ts';
import { newServer, type TestServer } from '../harness/server.ts';

/** Query and Execute of PostgreSQL's frontend protocol, chapter 54.7. */
const RUNS = new Set(['Q', 'E'].map((letter) => letter.charCodeAt(0)));

interface Counter extends AsyncDisposable {
  readonly url: string;
  statements: number;
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
    let rest: Buffer = Buffer.alloc(0);
    let isStartup = true;
    client.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const head = isStartup ? 0 : 1;
        if (rest.length < head + 4) break;
        const size = head + rest.readUInt32BE(head);
        if (rest.length < size) break;
        if (!isStartup && RUNS.has(rest[0] ?? 0)) counter.statements += 1;
        isStartup = false;
        rest = rest.subarray(size);
      }
    });
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

beforeAll(async () => {
  db = await newDb();
  counter = await newCounter(db.url);
  // One connection, so that none is opened, with questions of its own, while we count.
  server = await newServer({ db: { ...db, url: counter.url }, env: { DATABASE_POOL: '2' } });
  [ann, bob] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob')]);
  const rooms = [await newDirect(ann, bob)];
  for (let i = 0; i < 5; i++) rooms.push(await newGroup(ann, [bob], `Room ${i}`));
  for (const room of rooms) await send(ann, room, 'something to have missed before');
});
afterAll(async () => {
  for (const person of [ann, bob]) await person[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await counter[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});

test('[P7][R9] with nothing missed, a resume costs two statements', async () => {
  const program = () => newProgram(server, { token: bob.token });
  const before = program();
  const feed = await followLive(before);
  const cursor = feed.ids.at(-1);
  feed[Symbol.dispose]();
  await before[Symbol.asyncDispose]();
  // The node's own rounds end with its last follower.
  await expect.poll(() => server.deps.hub.snapshot).toBeUndefined();
  const started = counter.statements;
  await using again = program();
  using resumed = await followLive(again, cursor);
  const cost = counter.statements - started;
  expect(resumed.items).toEqual([{ type: 'live' }]);
  expect(cost).toBeLessThanOrEqual(2);
});
