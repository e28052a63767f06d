/** The WebSocket on /trpc: who may open one, how it authenticates, and what ends it. Calls and frames are tRPC's. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AnyTRPCRouter } from '@trpc/server';
import { applyWSSHandler, type CreateWSSContextFnOptions } from '@trpc/server/adapters/ws';
import { Gauge } from 'prom-client';
import { type WebSocket, WebSocketServer } from 'ws';
import { must } from '#lib/must';
import type { Reason } from '#protocol/errors';
import { LIMITS } from '#protocol/limits';
import type { Session } from '../auth/tokens.ts';
import { authenticate, type Context } from '../context.ts';
import type { Deps } from '../deps.ts';
import { clientAddress } from './address.ts';
import { encoder } from './answer-head.ts';
import { Doorway } from './doorway.ts';
import { KeepAlive } from './keep-alive.ts';
import { isOwnOrigin } from './origin.ts';
import { reportCallError } from './report.ts';
import { Socket } from './socket.ts';
import { Sockets } from './sockets.ts';
import type { ServerState } from './state.ts';

const BUSY = '503 Service Unavailable';

export interface WsServer {
  readonly sockets: Sockets;
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void;
  close(): void;
}

export function createWs(deps: Deps, router: AnyTRPCRouter, state: ServerState): WsServer {
  const { env, log, metrics, revocations, limits } = deps;
  const server = new WebSocketServer({ noServer: true, maxPayload: LIMITS.frameBytes, perMessageDeflate: false });
  const doorway = new Doorway();
  const sockets = new Sockets();
  const keepAlive = new KeepAlive(sockets.all);
  new Gauge({
    name: 'parley_socket_unsent_bytes',
    help: 'Written to WebSockets and not yet taken by their readers',
    registers: [metrics.registry],
    collect() {
      this.set([...sockets.all].reduce((sum, { unsentBytes }) => sum + unsentBytes, 0));
    },
  });
  const known = new WeakMap<WebSocket, Socket>();
  const stopListening = revocations.onRevoked((ids) => sockets.revoke(ids));

  applyWSSHandler({
    wss: server,
    router,
    maxBatchSize: LIMITS.batch,
    experimental_encoder: encoder,
    createContext: (options) =>
      wsContext(deps, must(known.get(options.res), 'every socket is noted at its upgrade'), sockets, options),
    onError: ({ error, path }) => reportCallError(log, { error, path }),
  });

  function accept(ws: WebSocket, stream: Duplex, request: IncomingMessage): void {
    const socket = new Socket(ws, stream, addressOf(request), deps.now);
    known.set(ws, socket);
    sockets.open(socket);
    metrics.sockets.inc();
    ws.on('message', () => socket.countFrame(env.rateLimits));
    ws.once('close', (code) => {
      metrics.sockets.dec();
      metrics.socketsClosed.inc({ code: String(code) });
    });
    server.emit('connection', ws, essence(request));
  }

  const addressOf = (request: IncomingMessage) =>
    clientAddress(request.socket.remoteAddress, request.headers['x-forwarded-for']?.toString() ?? null, env.trustProxy);

  function refusal(request: IncomingMessage): string | null {
    if (new URL(request.url ?? '/', 'http://host').pathname !== '/trpc') return '404 Not Found';
    if (!isOwnOrigin(request.headers.origin ?? null, request.headers.host ?? null, env.publicUrl))
      return '403 Forbidden';
    return state.draining ? BUSY : null;
  }

  async function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    // Without a listener a reset during the handshake would end the process.
    stream.on('error', destroy);
    const limited = await limits.take('connect', addressOf(request)).then(
      () => null,
      () => '429 Too Many Requests',
    );
    const refused = refusalSafe(request) ?? limited;
    const open = () => {
      if (state.draining) return refuse(stream, BUSY);
      server.handleUpgrade(request, stream, head, (ws) => accept(ws, stream, request));
    };
    if (refused === null && doorway.enter(open)) return;
    refuse(stream, refused ?? BUSY);
  }

  function refuse(stream: Duplex, why: string): void {
    metrics.rejected.inc({ why: why.slice(0, 3) });
    stream.end(`HTTP/1.1 ${why}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }

  function refusalSafe(request: IncomingMessage): string | null {
    try {
      return refusal(request);
    } catch {
      return '400 Bad Request';
    }
  }

  return {
    sockets,
    upgrade: (request, stream, head) => void upgrade(request, stream, head),
    close() {
      stopListening();
      keepAlive.close();
      server.close();
    },
  };
}

/** Not a closure: it stays with the stream, and would keep the request of the upgrade with it. */
function destroy(this: Duplex): void {
  this.destroy();
}

/** What is read of a request after its upgrade. The rest would be kept for as long as the socket. */
function essence({ url, headers }: IncomingMessage) {
  return { url, headers: { host: headers.host, 'user-agent': headers['user-agent'] } };
}

/** Runs once per socket, when the connection parameters have come (or at once, when none were announced). */
async function wsContext(
  deps: Deps,
  socket: Socket,
  sockets: Sockets,
  { req, info }: CreateWSSContextFnOptions,
): Promise<Context> {
  const { connectionParams } = info;
  const token = connectionParams?.token ?? null;
  const { session: found, refused } = await authenticate(deps, token);
  // Asked again in this very tick: from here on the registry of sockets hears of a revocation.
  const revoked = found !== null && deps.revocations.has(found.sessionId);
  const session = revoked ? null : found;
  if (session !== null && sockets.signIn(socket, session)) {
    // Online from its authentication, in whatever way the socket ends.
    socket.socket.once('close', deps.presence.connect(session.userId, session.sessionId));
  }
  // Without parameters it may still use what is public, until the deadline. A bad token is told at once.
  else if (connectionParams !== null) socket.refuse(revoked ? 'session_revoked' : refused);
  return new SocketContext(deps, socket, {
    refused,
    userAgent: req.headers['user-agent'] ?? null,
    signal: info.signal,
  });
}

/** A class, because a getter in a literal would cost each socket a hidden class of its own. */
class SocketContext implements Context {
  readonly deps: Deps;
  readonly connection: Socket;
  readonly refused: Reason;
  readonly address: string;
  readonly userAgent: string | null;
  readonly cookies = null;
  readonly crossSite = false;
  readonly signal: AbortSignal;

  constructor(deps: Deps, socket: Socket, said: Pick<SocketContext, 'refused' | 'userAgent' | 'signal'>) {
    this.deps = deps;
    this.connection = socket;
    this.address = socket.address;
    this.refused = said.refused;
    this.userAgent = said.userAgent;
    this.signal = said.signal;
  }

  /** Read at each call: the token may have been renewed, or have ended, since the socket opened. */
  get session(): Session | null {
    return this.connection.session;
  }
}
