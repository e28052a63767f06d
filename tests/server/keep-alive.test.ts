/** Quiet sockets, over real ones, with less patience than the server has. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { must } from '#lib/must';
import { KeepAlive } from '#server/transport/keep-alive';
import { Socket } from '#server/transport/socket';

test('[P24] who is quiet is asked; who answers stays, who speaks is not asked, who is silent is cut', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const sockets = new Set<Socket>();
  server.on('connection', (ws, request) => {
    const socket = new Socket(ws, request.socket, { address: '127.0.0.1', userAgent: null, now: Date.now });
    sockets.add(socket);
    ws.on('message', () => socket.countFrame(false));
    ws.once('close', () => sockets.delete(socket));
  });
  const keepAlive = new KeepAlive(sockets, { quietMs: 600, answerMs: 400, roundMs: 50 });
  const address = server.address();
  const port = typeof address === 'object' ? must(address, 'it listens').port : 0;
  const clients: { socket: WebSocket; heard: string[] }[] = [];
  const join = async (hear: (socket: WebSocket) => void) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    const heard: string[] = [];
    socket.on('message', (data) => {
      heard.push(String(data));
      hear(socket);
    });
    await once(socket, 'open');
    clients.push({ socket, heard });
    return { socket, heard };
  };
  try {
    const answers = await join((socket) => socket.send('PONG'));
    const speaks = await join(() => {});
    const silent = await join(() => {});
    const speaking = setInterval(() => speaks.socket.send('anything'), 50);
    await once(silent.socket, 'close');
    await expect.poll(() => answers.heard.length).toBeGreaterThan(1);
    clearInterval(speaking);
    expect(silent.heard).toEqual(['PING']);
    expect(speaks.heard).toEqual([]);
    expect([answers, speaks].map(({ socket }) => socket.readyState)).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
    expect(sockets.size).toBe(2);
  } finally {
    keepAlive.close();
    for (const { socket } of clients) socket.terminate();
    server.close();
    await sleep(0);
  }
});
