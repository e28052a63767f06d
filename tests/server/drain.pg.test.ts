/** A stop sends clients away a few at a time, and none without having said so. */
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { newUser } from '../harness/people.ts';
import { newServer } from '../harness/server.ts';

test('[P17][P33][N5] clients are told to move one after the other, are served until then, and then closed with 1012', async () => {
  await using server = await newServer();
  const person = await newUser(server);
  const clients = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const socket = new WebSocket(`${server.wsUrl}?connectionParams=1`);
      await new Promise((done) => socket.once('open', done));
      socket.send(JSON.stringify({ method: 'connectionParams', data: { token: person.token } }));
      const frames: string[] = [];
      socket.on('message', (data) => frames.push(String(data)));
      const closed = new Promise<number>((done) => socket.once('close', done));
      return { socket, frames, closed, isTold: () => frames.some((frame) => frame.includes('"reconnect"')) };
    }),
  );
  const stopped = server.app.close();
  await expect.poll(() => clients.some(({ isTold }) => isTold()), { interval: 1 }).toBe(true);
  const waiting = clients.filter(({ isTold }) => !isTold());
  expect(waiting.length).toBeGreaterThan(0);
  const late = waiting.at(-1);
  late?.socket.send(JSON.stringify({ id: 1, method: 'query', params: { path: 'users.me' } }));
  await expect.poll(() => late?.frames.find((frame) => frame.includes('"id":1'))).toContain(person.username);
  expect((await fetch(`${server.url}/readyz`).catch(() => ({ status: 503 }))).status).toBe(503);
  expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(clients.map(() => 1012));
  expect(clients.every(({ isTold }) => isTold())).toBe(true);
  await stopped;
  await person[Symbol.asyncDispose]();
});
