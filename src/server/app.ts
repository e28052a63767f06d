/** The server as one thing that can be started and stopped: HTTP and WebSocket on one port. Tests start exactly this. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Deps } from './deps.ts';
import { appRouter } from './router.ts';
import { drain } from './transport/drain.ts';
import { createFiles, isFileRequest } from './transport/files.ts';
import { createHttp } from './transport/http.ts';
import type { ServerState } from './transport/state.ts';
import { createWs } from './transport/ws.ts';

export interface App {
  /** @param port 0 for any free one. @throws the system's error, e.g. EADDRINUSE */
  listen(port: number, host: string): Promise<{ url: string; port: number }>;
  /** Drains: answers what is in flight, sends clients away, closes. Deps are the caller's to dispose. */
  close(): Promise<void>;
}

/** A call's body is small and comes at once; only files may take as long as they go on coming. */
const BODY_MS = 60_000;

/** Who comes while the process is busy waits with the system, which cuts off the rest; up to its own bound (somaxconn). */
const BACKLOG = 4_096;

function limitTime(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined) return;
  const late = setTimeout(() => request.socket.destroy(), BODY_MS);
  const done = () => clearTimeout(late);
  request.once('end', done);
  response.once('close', done);
}

export function createApp(deps: Deps): App {
  const state: ServerState = { draining: false };
  const http = createHttp(deps, appRouter, state);
  const files = createFiles(deps, state);
  const ws = createWs(deps, appRouter, state);
  // 500 ids in the address of one query need more than Node's 16 KB of headers.
  const answer = getRequestListener(http.fetch as never);
  // Longer than proxies and fetch keep a connection: whoever closes first while the other begins to send loses a call.
  const limits = { maxHeaderSize: 64 * 1024, requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 75_000 };
  const server = createServer(limits, (request, response) => {
    if (isFileRequest(request)) {
      void files(request, response);
      return;
    }
    limitTime(request, response);
    void answer(request, response);
  });
  server.on('upgrade', ws.upgrade);
  let closing: Promise<void> | null = null;
  return {
    listen: (port, host) =>
      new Promise((done, fail) => {
        server.once('error', fail);
        server.listen({ port, host, backlog: BACKLOG }, () => {
          server.off('error', fail);
          const address = server.address();
          const bound = typeof address === 'object' && address !== null ? address.port : port;
          const name = host === '0.0.0.0' || host === '::' || host === '127.0.0.1' ? 'localhost' : host;
          done({ url: `http://${name.includes(':') ? `[${name}]` : name}:${bound}`, port: bound });
        });
      }),
    close: () => {
      closing ??= server.listening ? drain(server, ws, state) : Promise.resolve(ws.close());
      return closing;
    },
  };
}
