import { drizzle } from 'drizzle-orm/postgres-js';
import { afterAll, beforeAll, describe } from 'vitest';
import { createMemoryBus } from '#server/bus/memory';
import { createLog } from '#server/observe/log';
import { createMemoryPresence } from '#server/presence/memory';
import { newDb, type TestDb } from '../harness/db.ts';
import { presenceContract } from './presence.ts';

const log = createLog({ level: 'silent' });
let db: TestDb;
beforeAll(async () => {
  db = await newDb();
});
afterAll(() => db[Symbol.asyncDispose]());

describe('presence: in the process', () => {
  presenceContract(async () => {
    const bus = createMemoryBus(log);
    const graceMs = 200;
    const presence = createMemoryPresence({ bus, db: drizzle({ client: db.sql }), log, graceMs });
    return { here: presence, there: presence, bus, db, graceMs, [Symbol.asyncDispose]: () => presence.close() };
  });
});
