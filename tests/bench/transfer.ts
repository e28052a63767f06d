/** A large file from one SDK client to another - sealed, sent, fetched, opened, checked - beside the same file over plain HTTP. */
import { randomFillSync } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChat } from '#client/index';
import type { Chat, FileView, MessageView } from '#client/types';
import { must } from '#lib/must';
import { type Figure, median, round, timed } from './stats.ts';
import type { World } from './world.ts';

const BYTES = 100 * 1024 * 1024;
const ROUNDS = 5;

export async function measureTransfer({ url, plainUrl }: World): Promise<Figure[]> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-transfer-'));
  const path = join(dir, 'file');
  await writeFile(path, randomFillSync(Buffer.allocUnsafe(BYTES)));
  const [ann, bob] = [createChat({ url }), createChat({ url })];
  try {
    const sign = (chat: Chat, username: string) =>
      chat.register({ username, email: `${username}@example.org`, password: 'correct horse battery staple' });
    await Promise.all([sign(ann, 'transfer-ann'), sign(bob, 'transfer-bob')]);
    const [partner] = await ann.api.users.search.query({ query: 'transfer-bob' });
    const id = await ann.createDirect(must(partner, 'just registered').id);
    await found(bob, (chat) => chat.store.getState().conversations[id]);
    await Promise.all([ann.open(id), bob.open(id)]);

    const upload = async (): Promise<FileView> => {
      const sent = ann.send(id, { text: '', files: [{ file: await openAsBlob(path), name: 'file' }] });
      const message = await found(ann, (chat) => stored(chat, id, sent));
      return must(message.content.kind === 'text' ? message.content.files?.[0] : undefined, 'sent with one');
    };
    const plain = (method: 'PUT' | 'GET') => async () => {
      const body = method === 'PUT' ? { body: await openAsBlob(path) } : {};
      const response = await fetch(plainUrl, { method, ...body });
      const length = (await response.arrayBuffer()).byteLength;
      if (method === 'GET' && length !== BYTES) throw new Error(`plain GET gave ${length} bytes`);
    };
    const file = await upload();
    const download = async () => {
      const blob = await bob.fetchFile(file);
      if (blob.size !== BYTES) throw new Error(`fetched ${blob.size} bytes`);
    };
    await plain('PUT')();
    await download();
    const took = { up: [] as number[], plainUp: [] as number[], down: [] as number[], plainDown: [] as number[] };
    // Alternating, so that whatever else happens on the machine happens to both.
    for (let i = 0; i < ROUNDS; i++) {
      took.plainUp.push(...(await timed(1, plain('PUT'))));
      took.up.push(...(await timed(1, upload)));
      took.plainDown.push(...(await timed(1, plain('GET'))));
      took.down.push(...(await timed(1, download)));
    }
    const figure = (name: string, ours: number[], theirs: number[]): Figure => ({
      name,
      value: round(median(ours) / median(theirs)),
      unit: 'x',
      limit: 2.5,
      parts: { 'Parley ms': round(median(ours), 0), 'plain HTTP ms': round(median(theirs), 0) },
    });
    return [
      figure('100 MB sealed and uploaded / plain PUT', took.up, took.plainUp),
      figure('100 MB downloaded, opened and checked / plain GET', took.down, took.plainDown),
    ];
  } finally {
    await Promise.all([ann.close(), bob.close()]);
    await rm(dir, { recursive: true, force: true });
  }
}

function stored(chat: Chat, id: string, messageId: string): MessageView | undefined {
  const message = chat.store.getState().timelines[id]?.byId.get(messageId);
  return message?.send.step === 'stored' ? message : undefined;
}

function found<T>(chat: Chat, look: (chat: Chat) => T | undefined): Promise<T> {
  return new Promise((resolve) => {
    const now = look(chat);
    if (now) return resolve(now);
    const stop = chat.store.subscribe(() => {
      const value = look(chat);
      if (!value) return;
      stop();
      resolve(value);
    });
  });
}
