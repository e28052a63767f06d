/** What a line writes is read by a real client, whatever its length, and holds each person's own resume id. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { expect, test } from 'vitest';
import { Line } from '#server/feed/line';

test('[P9] frames of every length, shared by many and together in one write, are what the adapter would say', async () => {
  await using server = Object.assign(new WebSocketServer({ port: 0, host: '127.0.0.1' }), {
    [Symbol.asyncDispose]: () => new Promise<void>((done) => server.close(() => done())),
  });
  const streams: Duplex[] = [];
  server.on('connection', (_socket, request) => streams.push(request.socket));
  await once(server, 'listening');
  const at = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients = [new WebSocket(at), new WebSocket(at)];
  const heard: string[][] = clients.map(() => []);
  for (const [i, client] of clients.entries()) client.on('message', (data: Buffer) => heard[i]?.push(data.toString()));
  await Promise.all(clients.map((client) => once(client, 'open')));

  let writes = 0;
  const people = streams.map((stream, i) => {
    const write = (bytes: Buffer) => {
      writes++;
      stream.write(bytes);
      return stream.writableLength === 0;
    };
    const connection = { write };
    const tag = `person--0${i}`;
    return { line: new Line(connection as never, `{"id":4`, tag), tag, id: 4 };
  });
  const values = [0, 30, 200, 65_400, 65_600, 200_000].map((length) => ({ text: 'ä'.repeat(length) }));
  for (const value of values) for (const { line } of people) line.event(value, '7:9:7,8');
  for (const value of values) for (const { line } of people) line.signal(value);
  expect(people.map(({ line }) => line.waitingBytes > 0)).toEqual([true, true]);
  await expect.poll(() => heard.map(({ length }) => length)).toEqual([12, 12]);

  expect(writes).toBe(2);
  for (const [i, { id, tag }] of people.entries()) {
    const cursor = `${tag}.7:9:7,8`;
    const events = values.map((data) => ({ id, result: { type: 'data', data: { id: cursor, data }, id: cursor } }));
    const signals = values.map((data) => ({ id, result: { type: 'data', data } }));
    expect(heard[i]).toEqual([...events, ...signals].map((frame) => JSON.stringify(frame)));
  }

  // A reader that is behind: what waits for it keeps its own resume ids, whoever else is given the same in the meantime.
  clients[0]?.pause();
  const many = Array.from({ length: 100 }, (_, n) => ({ n, text: 'x'.repeat(200_000) }));
  for (const value of many) {
    for (const { line } of people) line.event(value, '8:9:');
    await new Promise((done) => setImmediate(done));
  }
  expect(streams[0]?.writableLength).toBeGreaterThan(0);
  clients[0]?.resume();
  await expect.poll(() => heard.map(({ length }) => length), { timeout: 20_000 }).toEqual([112, 112]);
  for (const [i, { tag }] of people.entries()) {
    const ids = heard[i]?.slice(12).map((frame) => (JSON.parse(frame) as { result: { id: string } }).result.id);
    expect(new Set(ids)).toEqual(new Set([`${tag}.8:9:`]));
  }
  for (const client of clients) client.terminate();
});
