/** kill -9 in the middle of an upload: it goes on from what is on the disk, and nothing half is ever given out. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf, hangingPut, get, head, newBox, put } from '../harness/files.ts';
import { newDb, type TestDb } from '../harness/db.ts';
import { draft, newDirect } from '../harness/people.ts';
import { type ServerProcess, startProcess } from '../harness/process.ts';
import { cameBack, newComer } from '../harness/registration.ts';

let db: TestDb;
let dataDir: string;
let running: ServerProcess | undefined;
beforeAll(async () => {
  db = await newDb();
  dataDir = await mkdtemp(join(tmpdir(), 'parley-files-process-'));
});
afterAll(async () => {
  await running?.end('SIGTERM');
  await db[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
});

const start = async () => {
  running = await startProcess({ DATA_DIR: dataDir, DATABASE_URL: db.url, RATE_LIMITS: 'off' });
  return running;
};
const onDisk = async () => {
  const names = await readdir(join(dataDir, 'files'), { recursive: true });
  const part = names.find((name) => name.endsWith('.part'));
  return part === undefined ? null : readFile(join(dataDir, 'files', part));
};

test('[P27] killed three times during an upload, it resumes at the byte that is there, and nobody sees half of it', {
  timeout: 120_000,
}, async () => {
  let { url } = await start();
  const at = () => ({ url, wsUrl: `${url.replace('http', 'ws')}/trpc` });
  const [ann, bob] = await Promise.all([newComer(at(), 'ann'), newComer(at(), 'bob')]);
  const room = await newDirect(ann, bob);
  const bytes = newBox(30_000_000);
  const { id } = await ann.api.files.create.mutate({ id: uuidv7(), conversationId: room.id, size: bytes.length });
  const seen: number[] = [];
  let going = true;
  const looking = (async () => {
    while (going) {
      for (const who of [ann, bob])
        seen.push(
          await get(url, who, id).then(
            ({ status }) => status,
            () => 0,
          ),
        );
      await new Promise((done) => setTimeout(done, 20));
    }
  })();
  let offset = 0;
  for (let round = 1; round <= 3; round++) {
    const goal = round * 8_000_000;
    const call = hangingPut(url, ann, id, {
      offset,
      declared: bytes.length - offset,
      bytes: bytes.subarray(offset, goal),
    });
    // Killed while it writes.
    await expect
      .poll(async () => (await onDisk())?.length ?? 0, { interval: 5, timeout: 20_000 })
      .toBeGreaterThan(goal - 4_000_000);
    await running?.end('SIGKILL');
    await call.ended;
    const there = await onDisk();
    ({ url } = await start());
    const answer = await head(url, ann, id);
    offset = Number(answer.headers.get('upload-offset'));
    expect(offset).toBe(there?.length);
    expect(there?.equals(bytes.subarray(0, offset))).toBe(true);
  }
  going = false;
  await looking;
  expect(seen.length).toBeGreaterThan(10);
  expect(new Set(seen)).toEqual(new Set([0, 404]));
  const rest = await put(url, ann, id, offset, bytes.subarray(offset));
  expect(rest.status).toBe(204);
  const message = { ...(await draft(ann, room, 'at last')), messageType: 'file' as const, attachmentIds: [id] };
  await using again = await cameBack(at(), ann);
  await again.api.messages.send.mutate(message);
  expect((await bytesOf(await get(url, bob, id))).equals(bytes)).toBe(true);
});
