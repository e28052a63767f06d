/** All open sockets, found by session (to end them) and by user (to bound them). */
import { CLOSE } from '#protocol/close-codes';
import { ParleyError } from '#protocol/errors';
import type { Session } from '../auth/tokens.ts';
import type { Socket } from './socket.ts';

/** Devices times tabs of one person. */
const SOCKETS_PER_USER = 100;

function put(map: Map<string, Set<Socket>>, key: string, socket: Socket): void {
  const set = map.get(key) ?? new Set();
  map.set(key, set.add(socket));
}
function drop(map: Map<string, Set<Socket>>, key: string, socket: Socket): void {
  const set = map.get(key);
  set?.delete(socket);
  if (set?.size === 0) map.delete(key);
}

export class Sockets {
  readonly all = new Set<Socket>();
  readonly #bySession = new Map<string, Set<Socket>>();
  readonly #byUser = new Map<string, Set<Socket>>();

  open(socket: Socket): void {
    this.all.add(socket);
    socket.socket.once('close', () => this.all.delete(socket));
  }

  /** @returns false when the socket is gone, or on its way out because the person has too many already. */
  signIn(socket: Socket, session: Session): boolean {
    // Gone while its token was verified: its `close` has been, and nobody would take it out again.
    if (socket.socket.readyState !== socket.socket.OPEN) return false;
    if ((this.#byUser.get(session.userId)?.size ?? 0) >= SOCKETS_PER_USER) {
      const extra = { retryAfterMs: 10_000, limit: SOCKETS_PER_USER };
      socket.end(CLOSE.overLimit, new ParleyError('TOO_MANY_REQUESTS', 'rate_limited', extra));
      return false;
    }
    put(this.#bySession, session.sessionId, socket);
    put(this.#byUser, session.userId, socket);
    socket.socket.once('close', () => {
      drop(this.#bySession, session.sessionId, socket);
      drop(this.#byUser, session.userId, socket);
    });
    socket.begin(session);
    return true;
  }

  revoke(sessionIds: readonly string[]): void {
    for (const id of sessionIds) for (const socket of this.#bySession.get(id) ?? []) socket.refuse('session_revoked');
  }
}
