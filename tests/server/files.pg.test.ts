/** Attachments: who may upload, send, read and drop what; resumable; and that nothing half is ever seen. */
import { readdir, rename, symlink, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ParleyError } from '#protocol/errors';
import { sendMessage } from '#server/domain/messages';
import { sweepFiles } from '#server/jobs/sweep-files';
import { boxLength, bytesOf, hangingPut, get, head, newBox, put, raw, upload } from '../harness/files.ts';
import {
  draft,
  draftEpoch,
  newDirect,
  newGroup,
  newUser,
  op,
  type Person,
  remove,
  type Room,
} from '../harness/people.ts';
import { refusal } from '../harness/program.ts';
import { newS3 } from '../harness/s3.ts';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
let ann: Person;
let bob: Person;
let eve: Person;
let room: Room;
beforeAll(async () => {
  server = await newServer({ env: { FILES_QUOTA_BYTES: String(64 * 1024 * 1024), FILE_MAX_BYTES: '20000000' } });
  [ann, bob, eve] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob'), newUser(server, 'eve')]);
  room = await newDirect(ann, bob);
});
afterAll(async () => {
  await Promise.all([ann, bob, eve].map((person) => person[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

const create = (person: Person, size: number, id = uuidv7(), conversationId = room.id) =>
  person.api.files.create.mutate({ id, conversationId, size });
async function sendFile(sender: Person, where: Room, ids: string[]) {
  const input = { ...(await draft(sender, where, 'look')), messageType: 'file' as const, attachmentIds: ids };
  return { input, message: await sender.api.messages.send.mutate(input) };
}
const statusOf = async (answer: Promise<Response>) => (await answer).status;

describe('files', () => {
  test('[P27] uploaded in pieces, sent, and read by the other one byte for byte, whole and by ranges', async () => {
    const bytes = newBox(7_000_000);
    const id = await upload(server.url, ann, room.id, bytes);
    const { input, message } = await sendFile(ann, room, [id]);
    expect(message).toMatchObject({ messageType: 'file', attachments: [{ id, size: bytes.length }] });
    expect(await ann.api.messages.send.mutate(input)).toMatchObject({
      id: message.id,
      attachments: message.attachments,
    });
    const page = await bob.api.messages.list.query({ conversationId: room.id });
    expect(page.messages[0]?.attachments).toEqual([{ id, size: bytes.length }]);

    const whole = await get(server.url, bob, id);
    expect(whole.status).toBe(200);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
      vary: 'authorization',
    });
    expect(whole.headers.get('cache-control')).toContain('private, immutable');
    expect((await bytesOf(whole)).equals(bytes)).toBe(true);
    for (const [range, start, end] of [
      ['bytes=56-16455', 56, 16_456],
      ['bytes=6000000-', 6_000_000, bytes.length],
      ['bytes=-100', bytes.length - 100, bytes.length],
      ['bytes=0-99999999', 0, bytes.length],
    ] as const) {
      const part = await get(server.url, bob, id, { range });
      expect(part.status).toBe(206);
      expect(part.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${bytes.length}`);
      expect((await bytesOf(part)).equals(bytes.subarray(start, end))).toBe(true);
    }
    const beyond = await get(server.url, bob, id, { range: `bytes=${bytes.length}-` });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${bytes.length}`]);
    const conditional = await get(server.url, bob, id, { range: 'bytes=0-9', 'if-range': '"another version"' });
    expect([conditional.status, (await bytesOf(conditional)).length]).toEqual([200, bytes.length]);
    const known = await head(server.url, bob, id);
    expect([known.status, known.headers.get('content-length'), known.headers.get('accept-ranges')]).toEqual([
      200,
      String(bytes.length),
      'bytes',
    ]);
  });

  test('[P27] an upload goes on where it was cut, to the byte, and is seen by nobody before it is whole', async () => {
    const bytes = newBox(2_000_000);
    const { id } = await create(ann, bytes.length);
    const sent = 1_234_567;
    const going = hangingPut(server.url, ann, id, {
      offset: 0,
      declared: bytes.length,
      bytes: bytes.subarray(0, sent),
    });
    await expect.poll(async () => (await head(server.url, ann, id)).headers.get('upload-offset')).toBe(String(sent));
    expect(await statusOf(get(server.url, ann, id))).toBe(404);
    going.cut();
    await going.ended;
    // Asked in either way, it says the same.
    expect(await create(ann, bytes.length, id)).toMatchObject({ offset: sent });
    const known = await head(server.url, ann, id);
    expect([known.status, known.headers.get('upload-length')]).toEqual([204, String(bytes.length)]);
    const wrong = await put(server.url, ann, id, sent - 1, bytes.subarray(sent - 1));
    expect([wrong.status, wrong.headers.get('upload-offset')]).toEqual([409, String(sent)]);
    const tooMuch = await put(server.url, ann, id, sent, Buffer.concat([bytes.subarray(sent), Buffer.from('x')]));
    expect(tooMuch.status).toBe(413);
    expect(await refusal(sendFile(ann, room, [id]))).toMatchObject({
      code: 'BAD_REQUEST',
      reason: 'attachment_unknown',
    });
    const rest = await put(server.url, ann, id, sent, bytes.subarray(sent));
    expect([rest.status, rest.headers.get('upload-offset')]).toEqual([204, String(bytes.length)]);
    expect((await bytesOf(await get(server.url, ann, id))).equals(bytes)).toBe(true);
    // Nobody looked for bytes that are not whole.
    expect(server.logs.join()).not.toContain('the bytes of a file are missing');
    // Complete is complete.
    const again = await put(server.url, ann, id, 0, bytes);
    expect([again.status, again.headers.get('upload-offset')]).toEqual([409, String(bytes.length)]);
  });

  test('[P27] a body that was never announced and is too long is answered, and what came before it was too much is kept', async () => {
    const bytes = newBox(300_000);
    const { id } = await create(ann, bytes.length);
    const answer = await fetch(`${server.url}/files/${id}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${ann.token}`, 'upload-offset': '0' },
      body: new Blob([new Uint8Array(bytes), 'x']).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ error: { data: { reason: 'file_too_large', limit: bytes.length } } });
    const { offset } = await create(ann, bytes.length, id);
    expect(await statusOf(put(server.url, ann, id, offset, bytes.subarray(offset)))).toBe(204);
    expect((await bytesOf(await get(server.url, ann, id))).equals(bytes)).toBe(true);
  });

  test('[P27] a new PUT takes over from one that hangs', async () => {
    const bytes = newBox(300_000);
    const { id } = await create(ann, bytes.length);
    const hung = hangingPut(server.url, ann, id, {
      offset: 0,
      declared: bytes.length,
      bytes: bytes.subarray(0, 100_000),
    });
    await expect.poll(async () => (await head(server.url, ann, id)).headers.get('upload-offset')).toBe('100000');
    expect(await statusOf(put(server.url, ann, id, 100_000, bytes.subarray(100_000)))).toBe(204);
    await hung.ended;
    expect((await bytesOf(await get(server.url, ann, id))).equals(bytes)).toBe(true);
  });

  test('[P18][P27] who sends to a full disk is told so, and goes on once there is room', async () => {
    const bytes = newBox(3_000_000);
    const { id } = await create(ann, bytes.length);
    expect(await statusOf(put(server.url, ann, id, 0, Buffer.alloc(0)))).toBe(204);
    const { dir } = server.deps.env.files;
    const name = (await readdir(dir, { recursive: true })).find((path) => basename(path).startsWith(id));
    const part = join(dir, name ?? '');
    await rename(part, `${dir}/aside`);
    await symlink('/dev/full', part);
    const full = await put(server.url, ann, id, 0, bytes);
    expect(full.status).toBe(503);
    expect(full.headers.get('retry-after')).toBe('1');
    expect(await full.text()).not.toMatch(/ENOSPC|dev|node:/);
    await unlink(part);
    await rename(`${dir}/aside`, part);
    expect(await statusOf(put(server.url, ann, id, 0, bytes))).toBe(204);
    expect((await bytesOf(await get(server.url, ann, id))).equals(bytes)).toBe(true);
    await ann.api.files.cancel.mutate({ id });
  });

  test('[P27] an upload whose bytes still come is not swept, however long it takes', async () => {
    const bytes = newBox(300_000);
    const { id } = await create(ann, bytes.length);
    await server.db.sql`update attachments set used_at = now() - interval '25 hours' where id = ${id}`;
    const going = hangingPut(server.url, ann, id, {
      offset: 0,
      declared: bytes.length,
      bytes: bytes.subarray(0, 100_000),
    });
    await expect.poll(async () => (await head(server.url, ann, id)).headers.get('upload-offset')).toBe('100000');
    await sweepFiles(server.deps, 60_000);
    expect((await head(server.url, ann, id)).headers.get('upload-offset')).toBe('100000');
    going.cut();
    await going.ended;
    await ann.api.files.cancel.mutate({ id });
  });

  test('[P21] what is not mine to see does not exist: outsiders, removed members, guessed ids and odd paths get the same 404', async () => {
    const group = await newGroup(ann, [bob]);
    const bytes = newBox(5_000);
    const unsent = await upload(server.url, ann, group.id, bytes);
    const sent = await upload(server.url, ann, group.id, bytes);
    await sendFile(ann, group, [sent]);
    const absent = await raw(server.url, eve, 'GET', `/files/${uuidv7()}`);
    expect(absent.status).toBe(404);
    for (const [who, path] of [
      [eve, `/files/${sent}`],
      [eve, `/files/${unsent}`],
      [bob, `/files/${unsent}`],
      [bob, `/files/${sent.toUpperCase()}`],
      [bob, `/files/${sent}/`],
      [bob, `/files/${sent}?x=1`],
      [bob, `/files/..%2f${sent}`],
      [bob, `/files/../files/${sent}`],
      [bob, '/files/../../../../etc/passwd'],
      [bob, '/files/%2e%2e%2f%2e%2e%2fetc%2fpasswd'],
      [bob, `/files/${sent}%00`],
      [bob, '/files/x'],
      [bob, '/files/'],
    ] as const)
      expect(await raw(server.url, who, 'GET', path), path).toEqual(absent);
    for (const [who, id] of [
      [bob, unsent],
      [bob, sent],
      [ann, sent],
      [eve, unsent],
    ] as const)
      expect(await raw(server.url, who, 'PUT', `/files/${id}`)).toEqual(absent);
    expect((await raw(server.url, eve, 'HEAD', `/files/${sent}`)).status).toBe(404);
    expect((await raw(server.url, { token: null }, 'GET', `/files/${sent}`)).status).toBe(401);
    expect(await statusOf(get(server.url, bob, sent))).toBe(200);
    await bob.api.conversations.removeParticipant.mutate({ conversationId: group.id, userId: bob.userId });
    expect(await raw(server.url, bob, 'GET', `/files/${sent}`)).toEqual(absent);
    const outside = await refusal(create(eve, bytes.length, uuidv7(), group.id));
    expect(outside).toEqual(await refusal(create(eve, bytes.length, uuidv7(), uuidv7())));
  });

  test('[P21] a newcomer gets the files of what he can see, and none from before', async () => {
    const group = await newGroup(ann, [bob]);
    const [before, after] = await Promise.all([0, 1].map(() => upload(server.url, ann, group.id, newBox(500))));
    await sendFile(ann, group, [before ?? '']);
    await using cyd = await newUser(server, 'cyd');
    const all = [ann, bob, cyd];
    const { authored, epoch } = await draftEpoch(ann, all, { kind: 'ratchet', ops: [op.add(cyd)] }, group);
    await ann.api.conversations.addParticipant.mutate({ conversationId: group.id, userId: cyd.userId, epoch });
    await sendFile(ann, { ...group, epoch: authored, people: all }, [after ?? '']);
    expect(await statusOf(get(server.url, bob, before ?? ''))).toBe(200);
    expect(await statusOf(get(server.url, cyd, before ?? ''))).toBe(404);
    expect(await statusOf(head(server.url, cyd, before ?? ''))).toBe(404);
    expect(await statusOf(get(server.url, cyd, after ?? ''))).toBe(200);
  });

  test("[P21] only one's own, whole, unsent uploads to this very conversation can be sent", async () => {
    const other = await newGroup(ann, [bob]);
    const bytes = newBox(100);
    const elsewhere = await upload(server.url, ann, other.id, bytes);
    const bobs = await upload(server.url, bob, room.id, bytes);
    const unknown = { code: 'BAD_REQUEST', reason: 'attachment_unknown' };
    for (const id of [elsewhere, bobs, uuidv7()])
      expect(await refusal(sendFile(ann, room, [id]))).toMatchObject(unknown);
    const mine = await upload(server.url, ann, room.id, bytes);
    expect(await refusal(sendFile(ann, room, [mine, mine]))).toMatchObject(unknown);
    expect(
      await refusal(
        sendFile(
          ann,
          room,
          Array.from({ length: 21 }, () => uuidv7()),
        ),
      ),
    ).toMatchObject({
      reason: 'too_many_attachments',
      limit: 20,
    });
    // Ten at once, in one batch and in several: one has it.
    const attempts = await Promise.allSettled(Array.from({ length: 10 }, () => sendFile(ann, room, [mine])));
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await refusal(sendFile(ann, room, [mine]))).toMatchObject({ code: 'CONFLICT', reason: 'attachment_taken' });
    const [row] = await server.db
      .sql`select count(*)::int as n from messages where attachments @> ${server.db.sql.json([{ id: mine }])}`;
    expect(row?.n).toBe(1);
  });

  test('[P12][P27] with its message a file goes; the author gets it no more than others', async () => {
    const bytes = newBox(1_000);
    const id = await upload(server.url, ann, room.id, bytes);
    const { message } = await sendFile(ann, room, [id]);
    expect(await refusal(ann.api.files.cancel.mutate({ id }))).toMatchObject({ reason: 'attachment_taken' });
    await remove(ann, room, message.id);
    for (const who of [ann, bob]) expect(await statusOf(get(server.url, who, id))).toBe(404);
    const page = await bob.api.messages.list.query({ conversationId: room.id, limit: 1 });
    expect(page.messages[0]).toMatchObject({ id: message.id, isDeleted: true, attachments: [] });
  });

  test('[P27] sizes and quotas are refused before any byte, also when two ask at once', async () => {
    const tooLarge = await refusal(create(ann, boxLength(21_000_000)));
    expect(tooLarge).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', reason: 'file_too_large', limit: 20_000_000 });
    expect(await refusal(create(ann, boxLength(1_000_000) + 1))).toMatchObject({ reason: 'not_padded' });
    await using carl = await newUser(server, 'carl');
    const mine = await newDirect(carl, ann);
    const size = boxLength(8_000_000);
    const asked = await Promise.allSettled(Array.from({ length: 12 }, () => create(carl, size, uuidv7(), mine.id)));
    const fits = Math.floor((64 * 1024 * 1024) / size);
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(fits);
    expect(await refusal(create(carl, size, uuidv7(), mine.id))).toMatchObject({ reason: 'quota_exceeded' });
    const limits = await carl.api.files.limits.query();
    expect(limits).toEqual({ maxBytes: 20_000_000, quotaBytes: 67_108_864, perMessage: 10, usedBytes: fits * size });
    const first = asked.find((one) => one.status === 'fulfilled')?.value.id ?? '';
    expect(await refusal(create(bob, size, first))).toMatchObject({ code: 'CONFLICT', reason: 'file_id_taken' });
    expect(await refusal(create(carl, boxLength(100), first, mine.id))).toMatchObject({ reason: 'file_id_taken' });
    for (let i = 0; i < 2; i++) expect(await carl.api.files.cancel.mutate({ id: first })).toEqual({ success: true });
    expect((await carl.api.files.limits.query()).usedBytes).toBe((fits - 1) * size);
    await create(carl, size, uuidv7(), mine.id);
  });

  test('[P27] the sweep takes what was never finished, never sent or deleted, and nothing else, also while others sweep and send', async () => {
    const bytes = newBox(1_000);
    const kept = await upload(server.url, ann, room.id, bytes);
    await sendFile(ann, room, [kept]);
    const young = await upload(server.url, ann, room.id, bytes);
    const deleted = await upload(server.url, ann, room.id, bytes);
    await remove(ann, room, (await sendFile(ann, room, [deleted])).message.id);
    const old = await upload(server.url, ann, room.id, bytes);
    const { id: half } = await create(ann, bytes.length);
    const hung = hangingPut(server.url, ann, half, { offset: 0, declared: bytes.length, bytes: bytes.subarray(0, 99) });
    await expect.poll(async () => (await head(server.url, ann, half)).headers.get('upload-offset')).toBe('99');
    hung.cut();
    await hung.ended;
    const racing = await Promise.all(Array.from({ length: 20 }, () => upload(server.url, ann, room.id, bytes)));
    const long = [old, half, ...racing, kept];
    await server.db
      .sql`update attachments set used_at = now() - interval '25 hours' where id in ${server.db.sql(long)}`;
    const sends = racing.map((id) =>
      sendFile(ann, room, [id]).then(
        () => id,
        () => null,
      ),
    );
    const sweeps = Array.from({ length: 4 }, () => sweepFiles(server.deps, 60_000));
    const sent = (await Promise.all(sends)).filter((id) => id !== null);
    await Promise.all(sweeps);
    await sweepFiles(server.deps, 60_000);
    // Whoever was told that his message went, has his file.
    for (const id of [kept, ...sent]) expect((await bytesOf(await get(server.url, bob, id))).equals(bytes)).toBe(true);
    expect(await statusOf(get(server.url, ann, young))).toBe(200);
    for (const id of [deleted, old, half, ...racing.filter((one) => !sent.includes(one))])
      expect(await statusOf(head(server.url, ann, id))).toBe(404);
    const left = (await readdir(server.deps.env.files.dir, { recursive: true })).filter((path) => path.includes('-'));
    const rows = await server.db.sql`select id from attachments where completed_at is not null`;
    expect(left.map((path) => basename(path)).toSorted()).toEqual(rows.map(({ id }) => id as string).toSorted());
  });

  test('[P21][P27] two nodes, one database: an attachment goes with one message', async () => {
    await using other = await newServer({ db: server.db, env: { FILES_DIR: server.deps.env.files.dir } });
    for (let round = 0; round < 5; round++) {
      const id = await upload(server.url, ann, room.id, newBox(200));
      const inputs = await Promise.all(
        Array.from({ length: 8 }, async () => ({ ...(await draft(ann, room, 'x')), attachmentIds: [id] })),
      );
      const verdicts = await Promise.all(
        inputs.map((input, i) =>
          sendMessage(i % 2 ? server.deps : other.deps, ann.userId, { ...input, messageType: 'image' }).then(
            () => 'sent',
            (error: ParleyError) => error.reason,
          ),
        ),
      );
      expect(verdicts.toSorted()).toEqual([...Array.from({ length: 7 }, () => 'attachment_taken'), 'sent']);
    }
  });

  test('[P27] the same over an object store', async () => {
    await using s3 = await newS3();
    await using remote = await newServer({ db: server.db, env: s3.env });
    await using dan = await newUser(remote, 'dan');
    await using fay = await newUser(remote, 'fay');
    const theirs = await newDirect(dan, fay);
    const bytes = newBox(12_000_000);
    const id = uuidv7();
    const { partSize } = await dan.api.files.create.mutate({ id, conversationId: theirs.id, size: bytes.length });
    const going = hangingPut(remote.url, dan, id, {
      offset: 0,
      declared: bytes.length,
      bytes: bytes.subarray(0, 7_000_000),
    });
    const offset = async () => (await head(remote.url, dan, id)).headers.get('upload-offset');
    await expect.poll(offset).toBe(String(partSize));
    going.cut();
    expect(await statusOf(get(remote.url, dan, id))).toBe(404);
    await upload(remote.url, dan, theirs.id, bytes, id);
    await sendFile(dan, theirs, [id]);
    expect((await bytesOf(await get(remote.url, fay, id))).equals(bytes)).toBe(true);
    const part = await get(remote.url, fay, id, { range: 'bytes=6000000-6000009' });
    expect([part.status, await bytesOf(part)]).toEqual([206, bytes.subarray(6_000_000, 6_000_010)]);
    await using gil = await newUser(remote, 'gil');
    expect(await statusOf(get(remote.url, gil, id))).toBe(404);
  });
});
