/** The doors of the server, before anybody is signed in: what is let in, how much, and what is said to the rest. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { newServer, type TestServer } from '../harness/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await newServer();
});
afterAll(() => server[Symbol.asyncDispose]());

interface Ending {
  code: number;
  frames: { id: number | null; error?: { data: { code: string; reason: string } } }[];
}

/** Opens a socket, lets the test speak, and collects what comes until it closes. */
function converse(query: string, speak: (socket: WebSocket) => void): Promise<Ending> {
  return new Promise((done, fail) => {
    const socket = new WebSocket(server.wsUrl + query);
    const frames: Ending['frames'] = [];
    socket.on('open', () => speak(socket));
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    socket.on('close', (code) => done({ code, frames }));
    socket.on('error', fail);
  });
}

function upgradeStatus(url: string, options: WebSocket.ClientOptions): Promise<number> {
  return new Promise((done, fail) => {
    const socket = new WebSocket(url, options);
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      done(response.statusCode ?? 0);
    });
    socket.on('open', () => {
      socket.close();
      done(101);
    });
    socket.on('error', fail);
  });
}

describe('upgrade', () => {
  test('[P24] a foreign Origin is refused, our own and none are not', async () => {
    expect(await upgradeStatus(server.wsUrl, { origin: 'https://evil.example' })).toBe(403);
    expect(await upgradeStatus(server.wsUrl, { origin: 'null' })).toBe(403);
    expect(await upgradeStatus(server.wsUrl, { origin: server.url })).toBe(101);
    expect(await upgradeStatus(server.wsUrl, {})).toBe(101);
  });

  test('[P24] unknown paths are closed', async () => {
    expect(await upgradeStatus(server.wsUrl.replace('/trpc', '/ws'), {})).toBe(404);
    expect(await upgradeStatus(`${server.wsUrl}/x`, {})).toBe(404);
  });
});

describe('socket', () => {
  test('[P24][W5] a frame over 64 KB closes with 1009', async () => {
    const { code } = await converse('', (socket) => socket.send('x'.repeat(64 * 1024 + 1)));
    expect(code).toBe(1009);
  });

  test('[P23][W5] a bad token gets an error frame, then 4401; calls sent along are answered UNAUTHORIZED', async () => {
    const { code, frames } = await converse('?connectionParams=1', (socket) => {
      socket.send(JSON.stringify({ method: 'connectionParams', data: { token: 'nonsense' } }));
      socket.send(
        JSON.stringify({ id: 7, method: 'mutation', params: { path: 'auth.extend', input: { token: 'x' } } }),
      );
    });
    expect(code).toBe(4401);
    expect(frames[0]).toMatchObject({ id: null, error: { data: { code: 'UNAUTHORIZED' } } });
    expect(frames.find((frame) => frame.id === 7)?.error?.data.code).toBe('UNAUTHORIZED');
  });

  test('[P24] malformed connection parameters close the socket and nothing else', async () => {
    const { frames } = await converse('?connectionParams=1', (socket) => socket.send('{"method":'));
    expect(frames[0]?.error).toBeDefined();
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  test('[P24][W2][W5] no authentication within 10 s closes with 4408', { timeout: 20_000 }, async () => {
    const { code } = await converse('?connectionParams=1', () => {});
    expect(code).toBe(4408);
  });

  test('[P24] more than 20 calls in one frame are refused, each of them', async () => {
    const call = (id: number) => ({ id, method: 'query', params: { path: 'none.such' } });
    const frames: Ending['frames'] = [];
    const { code } = await converse('', (socket) => {
      socket.on('message', (data) => {
        frames.push(JSON.parse(String(data)));
        if (frames.length === 21) socket.close(1000);
      });
      socket.send(JSON.stringify(Array.from({ length: 21 }, (_, id) => call(id))));
    });
    expect(code).toBe(1000);
    expect(new Set(frames.map((frame) => frame.error?.data.reason))).toEqual(new Set(['too_large']));
  });
});

describe('http', () => {
  const post = (path: string, body: string) =>
    fetch(`${server.url}/trpc/${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });

  test('[P24] bodies: 64 KB, and 4 MB where an epoch travels', async () => {
    const body = JSON.stringify({ x: 'x'.repeat(65_536) });
    const refused = await post('auth.extend', body);
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({
      error: { data: { code: 'PAYLOAD_TOO_LARGE', reason: 'too_large', limit: 65_536 } },
    });
    expect((await post('conversations.createGroup', body)).status).not.toBe(413);
    expect((await post('conversations.createGroup', 'x'.repeat(4 * 1024 * 1024 + 1))).status).toBe(413);
  });

  test('[P26][W3] what is no call is answered as a tRPC error without a stack', async () => {
    for (const [path, body] of [
      ['none.such', '{}'],
      ['auth.extend', '{'],
      ['%E0%A4%A', '{}'],
      ['__proto__', '{}'],
      ['auth.extend', '"\u0000"'],
    ] as const) {
      const response = await post(path, body);
      const text = await response.text();
      expect(response.status, path).toBeGreaterThanOrEqual(400);
      expect(response.status, path).toBeLessThan(500);
      expect(JSON.parse(text)).toMatchObject({ error: { data: { reason: expect.any(String) } } });
      expect(text).not.toMatch(/stack|node_modules|\.ts/);
    }
  });

  test('[P28] every answer carries the strict policy; nothing is shared with other origins', async () => {
    for (const path of ['/', '/healthz', '/trpc/none.such']) {
      const { headers } = await fetch(server.url + path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe-inline|unsafe-eval'(?<!wasm-unsafe-eval')|https?:\/\/(?!localhost)/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(headers.get('strict-transport-security')).toBeNull();
    }
  });

  test('[P33] ready while running, metrics for Prometheus', async () => {
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('parley_calls_total');
  });
});
