/** The WebSocket on /trpc: who may open one, how it authenticates, and what ends it. What is said on it: calls.ts. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AnyTRPCRouter } from '@trpc/server';
import { Gauge } from 'prom-client';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Reason } from '#protocol/errors';
import { LIMITS } from '#protocol/limits';
import type { Session } from '../auth/tokens.ts';
import { authenticate, type Context } from '../context.ts';
import type { Deps } from '../deps.ts';
import { clientAddress } from './address.ts';
import { Calls, type ConnectionParams, type Served, type SocketContext } from './calls.ts';
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
  const stopListening = revocations.onRevoked((ids) => sockets.revoke(ids));

  const served: Served = {
    router,
    limitsFrames: env.rateLimits,
    createContext: (socket, params) => createContext(deps, sockets, socket, params),
    onError: (failed) => reportCallError(log, failed),
  };

  function accept(ws: WebSocket, stream: Duplex, request: IncomingMessage): void {
    const socket = new Socket(ws, stream, {
      address: addressOf(request),
      userAgent: request.headers['user-agent'] ?? null,
      now: deps.now,
    });
    sockets.open(socket);
    metrics.sockets.inc();
    ws.once('close', (code) => {
      metrics.sockets.dec();
      metrics.socketsClosed.inc({ code: String(code) });
    });
    new Calls(socket, served, { isAnnounced: queryOf(request).get('connectionParams') === '1' });
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

const queryOf = ({ url }: IncomingMessage) => new URL(url ?? '/', 'http://host').searchParams;

/** Runs once per socket, when the connection parameters have come (or at once, when none were announced). */
async function createContext(
  deps: Deps,
  sockets: Sockets,
  socket: Socket,
  params: ConnectionParams,
): Promise<SocketContext> {
  const { session: found, refused } = await authenticate(deps, params?.token ?? null);
  // Asked again in this very tick: from here on the registry of sockets hears of a revocation.
  const revoked = found !== null && deps.revocations.has(found.sessionId);
  const session = revoked ? null : found;
  if (session !== null && sockets.signIn(socket, session)) {
    // Online from its authentication, in whatever way the socket ends.
    socket.socket.once('close', deps.presence.connect(session.userId, session.sessionId));
  }
  // Without parameters it may still use what is public, until the deadline. A bad token is told at once.
  else if (params !== null) socket.refuse(revoked ? 'session_revoked' : refused);
  return new OverSocket(deps, socket, refused, null);
}

/** A class, because a getter in a literal would cost each socket a hidden class of its own. */
class OverSocket implements SocketContext {
  readonly deps: Deps;
  readonly connection: Socket;
  readonly refused: Reason;
  readonly address: string;
  readonly userAgent: string | null;
  readonly answerHead: string | null;
  readonly cookies = null;
  readonly crossSite = false;
  readonly signal = undefined;

  constructor(deps: Deps, socket: Socket, refused: Reason, answerHead: string | null) {
    this.deps = deps;
    this.connection = socket;
    this.refused = refused;
    this.address = socket.address;
    this.userAgent = socket.userAgent;
    this.answerHead = answerHead;
  }

  /** Read at each call: the token may have been renewed, or have ended, since the socket opened. */
  get session(): Session | null {
    return this.connection.session;
  }

  answering(head: string): Context {
    return new OverSocket(this.deps, this.connection, this.refused, head);
  }
}
