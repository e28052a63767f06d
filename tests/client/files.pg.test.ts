/** Files between two people, whatever is cut, closed or exchanged on the way. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createChat, memoryStorage, type Storage } from '#client/index';
import type { Chat, FileView, MessageView, OutgoingFile } from '#client/types';
import { must } from '#lib/must';
import { newServer, type TestServer } from '../harness/server.ts';
import { newChat, stored, type TestChat, textsOf, until } from './people.ts';
import { newWire, type Wire } from './wire.ts';

const PASSWORD = 'a long password of ann';
const MIB = 1024 * 1024;

let server: TestServer;
let bob: TestChat;
let wire: Wire;
let device: Storage;
let tabs: Chat[] = [];
let username: string;
let id: string;
let count = 0;

beforeAll(async () => {
  server = await newServer();
  bob = await newChat(server.url);
});
afterAll(async () => {
  await bob[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  wire = await newWire(server.url);
  device = memoryStorage();
  username = `anna${++count}`;
  const ann = createChat({ url: wire.url, storage: device });
  tabs = [ann];
  await ann.register({ username, email: `${username}@example.org`, password: PASSWORD });
  id = await ann.createDirect(bob.id);
  await until(bob.chat, (state) => state.conversations[id]);
  await Promise.all([ann.open(id), bob.chat.open(id)]);
  return async () => {
    await Promise.all(tabs.map((tab) => tab.close()));
    await wire[Symbol.asyncDispose]();
  };
});

const ann = () => must(tabs[0], 'opened before each test');

function noise(length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4)).map((_, i) => Math.imul(i + 1, 2_654_435_761));
  return new Uint8Array(words.buffer, 0, length);
}
const fileOf = (bytes: Uint8Array<ArrayBuffer>, more: Partial<OutgoingFile> = {}): OutgoingFile => ({
  file: new Blob([bytes], { type: 'application/pdf' }),
  name: 'plan.pdf',
  ...more,
});
const filesIn = ({ content }: MessageView): readonly FileView[] =>
  must(content.kind === 'text' ? content.files : undefined, 'a message with files');
const bytesOf = async (blob: Blob) => Buffer.from(await blob.arrayBuffer());

it('[C93] the same file is fetched many times at once, also where one of them gives up', async () => {
  const bytes = noise(11 * MIB);
  const sent = ann().send(id, { text: '', files: [fileOf(bytes)] });
  const [file] = filesIn(await stored(bob.chat, id, sent));
  const plan = must(file, 'one was sent');
  const end = new AbortController();
  const given = bob.chat.fetchFile(plan, { signal: end.signal, onProgress: () => end.abort() });
  const all = Promise.all([bob.chat.fetchFile(plan), bob.chat.fetchFile(plan), bob.chat.fetchFile(plan)]);
  await expect(given).rejects.toMatchObject({ reason: 'cancelled' });
  for (const blob of await all) expect((await bytesOf(blob)).equals(Buffer.from(bytes))).toBe(true);
});

it('[P27] what was sent with a message arrives, byte for byte, and nothing of it is readable on the server', async () => {
  const bytes = noise(11 * MIB + 12_345);
  const small = new TextEncoder().encode('the meadow behind the house, in June');
  const sent = ann().send(id, {
    text: 'the plan',
    files: [
      fileOf(bytes, {
        thumbnail: { file: new Blob([small], { type: 'image/webp' }), width: 20, height: 10 },
        alt: 'a drawing',
        width: 2,
        height: 1,
      }),
      fileOf(small, {
        file: new Blob([small], { type: 'audio/ogg' }),
        name: '../../etc/\u202Efdp.exe',
        voice: true,
        durationMs: 1_234.5,
        waveform: [1, 50.4, 100],
      }),
    ],
  });
  await stored(ann(), id, sent);
  const [plan, voice] = filesIn(await stored(bob.chat, id, sent));
  expect(plan).toMatchObject({
    name: 'plan.pdf',
    mime: 'application/pdf',
    size: bytes.length,
    kind: 'file',
    alt: 'a drawing',
  });
  expect(voice).toMatchObject({ name: '.._.._etc_fdp.exe', kind: 'voice', durationMs: 1235, waveform: [1, 50, 100] });
  const seen: number[] = [];
  const onProgress = ({ done, total }: { done: number; total: number }) => seen.push(done / total);
  const fetched = await bob.chat.fetchFile(must(plan, 'first'), { onProgress });
  expect(Buffer.compare(await bytesOf(fetched), Buffer.from(bytes))).toBe(0);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(1);
  const thumbnail = must(plan?.thumbnail, 'sent with one');
  expect(await (await bob.chat.fetchFile(thumbnail)).text()).toBe('the meadow behind the house, in June');
  const part = await bob.chat.readFile(must(plan, 'first'), { start: 6 * MIB - 3, end: 6 * MIB + 40_000 });
  expect(Buffer.compare(part, Buffer.from(bytes.subarray(6 * MIB - 3, 6 * MIB + 40_000)))).toBe(0);
  const rows = JSON.stringify([
    await server.db.sql`select * from attachments`,
    await server.db.sql`select * from messages`,
  ]);
  for (const secret of ['plan.pdf', 'application/pdf', 'voice', 'image', 'a drawing', plan?.key])
    expect(rows).not.toContain(secret);
  for (const blob of await blobs()) {
    const content = await readFile(blob);
    expect(content.includes('the meadow behind')).toBe(false);
    expect(content.includes(Buffer.from(bytes.subarray(5_000, 5_100)))).toBe(false);
  }
  expect(await device.keys('files')).toEqual([]);
  expect(ann().signals.getState().uploads).toEqual({});
});

it('[P27] an upload that is cut three times goes on where it was, and the message comes once, in order', async () => {
  const bytes = noise(40 * MIB);
  const offsets: number[] = [];
  let cuts = 0;
  const stop = ann().signals.subscribe(({ uploads }) => {
    const [progress] = Object.values(uploads);
    if (!progress) return;
    offsets.push(progress.done);
    if (cuts < 3 && progress.done > (cuts + 1) * 9 * MIB) {
      cuts++;
      wire.cut();
    }
  });
  const sent = ann().send(id, { text: 'large', files: [fileOf(bytes)] });
  ann().send(id, { text: 'after it' });
  await until(bob.chat, () => textsOf(bob.chat, id).length === 2);
  stop();
  expect(cuts).toBe(3);
  expect(textsOf(bob.chat, id)).toEqual(['large', 'after it']);
  // Never back to the beginning: what the server has stays there.
  expect(Math.min(...offsets.slice(offsets.findIndex((done) => done > 9 * MIB)))).toBeGreaterThan(0);
  const [file] = filesIn(await stored(bob.chat, id, sent));
  expect(Buffer.compare(await bytesOf(await bob.chat.fetchFile(must(file, 'one'))), Buffer.from(bytes))).toBe(0);
}, 60_000);

it('[P27] a page that is closed in the middle of an upload leaves everything that the next one needs', async () => {
  const bytes = noise(20 * MIB);
  const sent = ann().send(id, { text: 'later', files: [fileOf(bytes)] });
  await new Promise<void>((resolve) => {
    const stop = ann().signals.subscribe(({ uploads }) => {
      if ((uploads[sent]?.done ?? 0) < 6 * MIB) return;
      stop();
      wire.down();
      resolve();
    });
  });
  await expect.poll(async () => (await device.keys('outbox')).length).toBe(1);
  await ann().close();
  wire.up();
  const next = createChat({ url: wire.url, storage: device });
  tabs.push(next);
  // Connections that the wire broke are found out by using them.
  const login = () => next.login({ login: username, password: PASSWORD });
  await login().catch(login);
  const [file] = filesIn(await stored(bob.chat, id, sent));
  expect(Buffer.compare(await bytesOf(await bob.chat.fetchFile(must(file, 'one'))), Buffer.from(bytes))).toBe(0);
  await expect.poll(() => device.keys('files')).toEqual([]);
}, 60_000);

it('[P27] an upload can be paused, resumed and given up; nothing of it stays', async () => {
  const sent = ann().send(id, { text: 'slow', files: [fileOf(noise(30 * MIB))] });
  await new Promise<void>((resolve) => {
    const stop = ann().signals.subscribe(({ uploads }) => {
      if ((uploads[sent]?.done ?? 0) < 5 * MIB) return;
      stop();
      ann().pause(id, sent);
      resolve();
    });
  });
  const step = () => ann().store.getState().timelines[id]?.byId.get(sent)?.send;
  await expect.poll(step).toEqual({ step: 'failed', reason: 'paused' });
  ann().send(id, { text: 'meanwhile' });
  await until(bob.chat, () => textsOf(bob.chat, id).includes('meanwhile'));
  ann().discard(id, sent);
  await expect.poll(step).toBeUndefined();
  await expect.poll(() => device.keys('files')).toEqual([]);
  await expect
    .poll(
      async () =>
        (await server.db.sql`select 1 from attachments where message_id is null and removed_at is null`).length,
    )
    .toBe(0);
  expect(textsOf(bob.chat, id)).toEqual(['meanwhile']);
});

it('[P27] a program that keeps nothing seals once more what it has to send once more', async () => {
  const program = await newChat(wire.url);
  const there = await program.chat.createDirect(bob.id);
  await until(bob.chat, (state) => state.conversations[there]);
  await Promise.all([program.chat.open(there), bob.chat.open(there)]);
  const bytes = noise(40 * MIB);
  // The second part lies across the first two pieces, and fails.
  wire.lie(
    `upload-offset: ${5 * MIB}`,
    'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
  );
  const sent = program.chat.send(there, { text: '', files: [fileOf(bytes)] });
  await until(program.chat, (state) => state.timelines[there]?.byId.get(sent)?.send.step === 'waiting');
  wire.up();
  const [file] = filesIn(await stored(bob.chat, there, sent));
  expect(Buffer.compare(await bytesOf(await bob.chat.fetchFile(must(file, 'one'))), Buffer.from(bytes))).toBe(0);
  await program[Symbol.asyncDispose]();
}, 60_000);

/** The device of another chat of the same person, that does something else when a piece of a file is to be kept. */
async function onDevice(put: (key: string, keep: () => Promise<void>) => Promise<void>): Promise<Chat> {
  await ann().close();
  const odd: Storage = {
    ...device,
    put: (table, key, value) => {
      const keep = () => device.put(table, key, value);
      return table === 'files' ? put(key, keep) : keep();
    },
  };
  const chat = createChat({ url: wire.url, storage: odd });
  tabs.push(chat);
  const login = () => chat.login({ login: username, password: PASSWORD });
  await login().catch(login);
  await chat.open(id);
  return chat;
}

it('[P27] a device that is full is no reason not to send a file', async () => {
  const full = await onDevice(() => Promise.reject(new DOMException('full', 'QuotaExceededError')));
  const bytes = noise(26 * MIB);
  const sent = full.send(id, { text: '', files: [fileOf(bytes)] });
  const [file] = filesIn(await stored(bob.chat, id, sent));
  expect(Buffer.compare(await bytesOf(await bob.chat.fetchFile(must(file, 'one'))), Buffer.from(bytes))).toBe(0);
}, 60_000);

it('[P27] what is given up while it is being sealed leaves nothing here', async () => {
  let keeping = () => {};
  let goOn = () => {};
  const held = new Promise<void>((resolve) => (goOn = resolve));
  const reached = new Promise<void>((resolve) => (keeping = resolve));
  const kept: Promise<void>[] = [];
  const slow = await onDevice((key, keep) => {
    if (!key.endsWith('000002')) return keep();
    keeping();
    const late = held.then(keep);
    kept.push(late);
    return late;
  });
  const sent = slow.send(id, { text: '', files: [fileOf(noise(26 * MIB))] });
  await reached;
  slow.discard(id, sent);
  await expect.poll(() => slow.store.getState().timelines[id]?.byId.get(sent)).toBeUndefined();
  goOn();
  await Promise.all(kept);
  await expect.poll(() => device.keys('files')).toEqual([]);
}, 60_000);

it('[C94] no message goes out whose files have no hash yet', async () => {
  let all = () => {};
  const sealed = new Promise<void>((resolve) => (all = resolve));
  // The page ends when the last piece is kept, and what follows from it is not.
  const ending = await onDevice(async (key, keep) => {
    await keep();
    if (!key.endsWith('000002')) return;
    all();
    await new Promise(() => {});
  });
  const stop = ending.signals.subscribe(({ uploads }) => {
    for (const message of Object.keys(uploads)) ending.pause(id, message);
  });
  const sent = ending.send(id, { text: '', files: [fileOf(noise(11 * MIB))] });
  await sealed;
  await expect.poll(async () => (await device.keys('outbox')).length).toBe(1);
  stop();
  await ending.close();
  const next = createChat({ url: wire.url, storage: device });
  tabs.push(next);
  const login = () => next.login({ login: username, password: PASSWORD });
  await login().catch(login);
  const step = () => next.store.getState().timelines[id]?.byId.get(sent)?.send;
  await expect.poll(step).toEqual({ step: 'failed', reason: 'paused' });
  next.retry(id, sent);
  await expect.poll(step).toEqual({ step: 'failed', reason: 'FILE_UNREADABLE' });
  expect(textsOf(bob.chat, id)).toEqual([]);
}, 60_000);

it('[P27] a server that does not get on is not asked without a pause', async () => {
  wire.lie(
    'PUT /files/',
    'HTTP/1.1 409 Conflict\r\nupload-offset: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
  );
  const sent = ann().send(id, { text: '', files: [fileOf(noise(1_000))] });
  const step = () => ann().store.getState().timelines[id]?.byId.get(sent)?.send.step;
  await expect.poll(step).toBe('waiting');
  wire.up();
  await stored(bob.chat, id, sent);
});

describe('[C94] what the server gives in place of a file is refused, in words', () => {
  const changes: [string, (box: Buffer, other: Buffer) => Buffer, string][] = [
    ['cut short', (box) => box.subarray(0, box.length - 16_400), 'not_found'],
    [
      'two chunks exchanged',
      (box) =>
        Buffer.concat([
          box.subarray(0, 56),
          box.subarray(16_456, 32_856),
          box.subarray(56, 16_456),
          box.subarray(32_856),
        ]),
      'DECRYPT',
    ],
    ['one bit', (box) => Buffer.from(box.map((byte, i) => (i === 70_000 ? byte ^ 1 : byte))), 'DECRYPT'],
    ['another file of the same length', (_, other) => other, 'DECRYPT'],
  ];
  for (const [name, change, reason] of changes) {
    it(`${name}`, async () => {
      const before = new Set(await blobs());
      const sent = ann().send(id, { text: 'one', files: [fileOf(noise(100_000))] });
      const [file] = filesIn(await stored(bob.chat, id, sent));
      const [path] = (await blobs()).filter((one) => !before.has(one));
      const second = ann().send(id, { text: 'two', files: [fileOf(noise(100_000).reverse())] });
      await stored(bob.chat, id, second);
      const [otherPath] = (await blobs()).filter((one) => !before.has(one) && one !== path);
      const at = must(path, 'stored');
      await writeFile(at, change(await readFile(at), await readFile(must(otherPath, 'stored'))));
      await expect(bob.chat.fetchFile(must(file, 'one'))).rejects.toMatchObject({ reason });
    });
  }

  it('the whole exchanged by somebody who has its key', async () => {
    // Sealed under the same key for the same place: only the hash in the message tells.
    const sent = ann().send(id, { text: 'one', files: [fileOf(noise(50_000))] });
    const [file] = filesIn(await stored(bob.chat, id, sent));
    const lying = { ...must(file, 'one'), sha256: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' };
    await expect(bob.chat.fetchFile(lying)).rejects.toMatchObject({ code: 'CRYPTO', reason: 'FILE_CHANGED' });
  });

  it('nothing', async () => {
    const sent = ann().send(id, { text: 'one', files: [fileOf(noise(1_000))] });
    const [file] = filesIn(await stored(bob.chat, id, sent));
    await stored(ann(), id, sent);
    await ann().remove(id, sent);
    await expect(bob.chat.fetchFile(must(file, 'one'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

it('[C94] an edit of the caption keeps the files', async () => {
  const sent = ann().send(id, { text: 'a caption', files: [fileOf(noise(1_000))] });
  const before = filesIn(await stored(ann(), id, sent));
  await ann().edit(id, sent, 'a better caption');
  await until(bob.chat, () => textsOf(bob.chat, id).includes('a better caption'));
  expect(filesIn(await stored(bob.chat, id, sent))).toEqual(before);
});

async function blobs(): Promise<string[]> {
  const dir = server.deps.env.files.dir;
  const names = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  return names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}
