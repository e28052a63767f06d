import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { must } from '#lib/must';
import { Pulse } from '../../src/client/pulse.ts';

let server: WebSocketServer;
let socket: WebSocket;
let heard: string[];
let answers: boolean;

beforeEach(async () => {
  heard = [];
  answers = true;
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (other) =>
    other.on('message', (data) => {
      heard.push(String(data));
      if (answers) other.send('PONG');
    }),
  );
  await once(server, 'listening');
  socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await once(socket, 'open');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
});
afterEach(async () => {
  vi.useRealTimers();
  socket.terminate();
  await new Promise((done) => server.close(done));
});

/** Real frames take real time; the clock of the pulse is ours. */
const asked = async (times: number) => {
  for (let i = 0; i < 200 && heard.length < times; i++) await new Promise((done) => setImmediate(done));
  return heard.length;
};

it('a socket that is silent is asked, and one that answers lives', async () => {
  const onDead = vi.fn<() => void>();
  const pulse = new Pulse(socket as unknown as globalThis.WebSocket, onDead);
  const answered = once(socket, 'message');
  vi.advanceTimersByTime(30_000 - 5_000);
  expect(await asked(1)).toBe(1);
  await answered;
  vi.advanceTimersByTime(10_000);
  expect(onDead).not.toHaveBeenCalled();
  pulse.stop();
});

it('[P7] after a sleep it is asked at once; one that does not answer is given up within seconds', async () => {
  answers = false;
  const onDead = vi.fn<() => void>();
  const pulse = new Pulse(socket as unknown as globalThis.WebSocket, onDead);
  vi.setSystemTime(Date.now() + 10 * 60_000);
  vi.advanceTimersByTime(5_000);
  expect(await asked(1)).toBe(1);
  expect(must(heard[0], 'asked')).toBe('PING');
  vi.advanceTimersByTime(4_000);
  expect(onDead).toHaveBeenCalledTimes(1);
  pulse.stop();
});
