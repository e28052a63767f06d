/** The process with its own database: started, started twice, killed, stopped. Nothing acknowledged is lost. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { z } from 'zod';
import type { MessagePage, MessageSeen } from '#protocol/message';
import { draft, newDirect } from '../harness/people.ts';
import { newProgram, type Program } from '../harness/program.ts';
import { type ServerProcess, startProcess } from '../harness/process.ts';
import { cameBack, newComer, newRegistration } from '../harness/registration.ts';

let dataDir: string;
let running: ServerProcess[] = [];
beforeEach(async () => {
  // Readable by us alone: as root this is the place where PostgreSQL's usual stand-in cannot go.
  dataDir = join(await mkdtemp(join(tmpdir(), 'parley-process-')), 'data');
});
afterEach(async () => {
  for (const server of running) if (server.child.exitCode === null) await server.end('SIGTERM');
  running = [];
  await rm(join(dataDir, '..'), { recursive: true, force: true });
});

const start = async (env: Record<string, string> = {}) => {
  const server = await startProcess({ DATA_DIR: dataDir, ...env });
  running.push(server);
  return server;
};
const at = ({ url }: ServerProcess) => ({ url, wsUrl: `${url.replace('http', 'ws')}/trpc` });
const programFor = (server: ServerProcess) => newProgram(at(server));

/** Oldest first. */
async function wholeHistory(program: Program, conversationId: string) {
  const found: MessageSeen[] = [];
  let cursor: string | null = null;
  do {
    const page: z.infer<typeof MessagePage> = await program.api.messages.list.query({
      conversationId,
      limit: 100,
      cursor,
    });
    found.push(...page.messages);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return found.reverse();
}
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const postmaster = async () =>
  Number((await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);

describe('process', () => {
  test('[P1] what was acknowledged survives kill -9 of the server, whose database is found and ended', async () => {
    const first = await start();
    const input = await newRegistration();
    await using program = programFor(first);
    await program.api.auth.register.mutate(input);
    const orphan = await postmaster();
    await first.end('SIGKILL');
    expect(isAlive(orphan)).toBe(true);
    const second = await start();
    expect(isAlive(orphan)).toBe(false);
    await using again = programFor(second);
    const { user } = await again.api.auth.login.mutate({ login: input.username, password: input.password });
    expect(user.id).toBe(input.id);
  });

  test('[P1][P3][P5] kill -9 in the middle of a burst: every acknowledged message is there, blind retries complete the rest', {
    timeout: 90_000,
  }, async () => {
    const first = await start();
    const [ann, bob] = await Promise.all([newComer(at(first), 'ann'), newComer(at(first), 'bob')]);
    const room = await newDirect(ann, bob);
    const drafts = await Promise.all(Array.from({ length: 240 }, (_, i) => draft(i % 2 ? ann : bob, room, `m${i}`)));
    const acknowledged = new Map<string, number>();
    let killed: Promise<unknown> | undefined;
    const sending = drafts.map(async (input, i) => {
      const { seq } = await (i % 2 ? ann : bob).api.messages.send.mutate(input);
      acknowledged.set(input.id, seq);
      if (acknowledged.size === 40) killed = first.end('SIGKILL');
    });
    await Promise.allSettled(sending);
    await killed;
    expect(acknowledged.size).toBeGreaterThanOrEqual(40);
    const before = new Map(acknowledged);

    const second = await start();
    const [ann2, bob2] = await Promise.all([cameBack(at(second), ann), cameBack(at(second), bob)]);
    const kept = await wholeHistory(bob2, room.id);
    for (const [id, seq] of before) expect(kept.find((message) => message.id === id)?.seq).toBe(seq);
    expect(kept.map(({ seq }) => seq)).toEqual(kept.map((_, i) => i + 1));
    const again = await Promise.all(drafts.map((input, i) => (i % 2 ? ann2 : bob2).api.messages.send.mutate(input)));
    for (const { id, seq } of again) expect(before.get(id) ?? seq).toBe(seq);
    const all = await wholeHistory(ann2, room.id);
    expect(all.map(({ seq }) => seq)).toEqual(drafts.map((_, i) => i + 1));
    const sent = new Map(drafts.map((input) => [input.id, input.contentEncrypted]));
    for (const message of all) expect(message.contentEncrypted).toBe(sent.get(message.id));
    for (const one of [ann, bob, ann2, bob2]) await one[Symbol.asyncDispose]();
  });

  test('[P1] the database itself is killed: it is started again and the server goes on', {
    timeout: 90_000,
  }, async () => {
    const server = await start();
    const input = await newRegistration();
    await using program = programFor(server);
    await program.api.auth.register.mutate(input);
    process.kill(await postmaster(), 'SIGKILL');
    const logIn = () => program.api.auth.login.mutate({ login: input.username, password: input.password });
    await expect.poll(() => logIn().then(({ user }) => user.id, String), { timeout: 60_000 }).toBe(input.id);
  });

  test('a second start on the same DATA_DIR says who holds it and touches nothing', async () => {
    const first = await start();
    await expect(startProcess({ DATA_DIR: dataDir })).rejects.toThrow(`in use by the server with pid ${first.pid}`);
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  });

  test('[P33] SIGTERM: sockets are told to move, the call in flight is answered, exit 0, no database stays', async () => {
    const server = await start();
    const child = await postmaster();
    await using program = programFor(server);
    const frames: string[] = [];
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/trpc`);
    await new Promise((done) => socket.once('open', done));
    socket.on('message', (data) => frames.push(String(data)));
    const closed = new Promise((done) => socket.once('close', done));
    // Takes a quarter of a second of bcrypt, so it is certainly under way.
    const inFlight = program.api.auth.register.mutate(await newRegistration());
    await new Promise((done) => setTimeout(done, 50));
    const ended = server.end('SIGTERM');
    expect((await inFlight).user.username).toEqual(expect.any(String));
    expect(await closed).toBe(1012);
    expect(frames.join()).toContain('"method":"reconnect"');
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(isAlive(child)).toBe(false);
  });

  test('[P25] the whole run leaves no password and no token in the log, at the most talkative level', async () => {
    const server = await start({ LOG_LEVEL: 'trace' });
    const input = await newRegistration();
    await using program = programFor(server);
    const { accessToken, refreshToken } = await program.api.auth.register.mutate(input);
    await program.api.auth.register.mutate(input).catch(() => {});
    await program.api.auth.refresh.mutate({ refreshToken });
    await server.end('SIGTERM');
    for (const secret of [input.password, accessToken, refreshToken ?? '', input.email])
      expect(server.output()).not.toContain(secret);
  });
});
