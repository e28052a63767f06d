/** What every procedure sees: the process's parts, who calls, and from where. Made per HTTP request, and once per socket. */
import type { Reason } from '#protocol/errors';
import type { Session } from './auth/tokens.ts';
import type { Deps } from './deps.ts';

/** A socket as procedures see it. Its session can change: extended by a newer token, or ended. */
export interface Connection {
  readonly id: string;
  /** False as soon as either side closes. */
  readonly isOpen: boolean;
  readonly session: Session | null;
  /** Moves the expiry to the newer token's. False when it is not for this very session. */
  extend(session: Session): boolean;
  /** Cuts a caller that asks and does not read the answers. */
  mindUnread(): void;
  /** One text frame, after everything before and before everything after; nothing once the session has ended. */
  tell(text: string): void;
  /** Whole frames, as bytes; nothing once it is closing. @returns false while the bytes are still needed: nobody may change them */
  write(frames: Buffer): boolean;
  /** Written and not yet taken by the system. */
  readonly unsentBytes: number;
  /** Says why, and cuts what does not close by itself within a moment. */
  close(code: number, reason: string): void;
  /** Running subscriptions and calls in flight, counted by `trpc.ts` against its limits. */
  subscriptions: number;
  calls: number;
}

export interface Cookies {
  readonly refreshToken: string | null;
  /** Null removes it. */
  setRefreshToken(token: string | null): void;
}

export interface Context {
  readonly deps: Deps;
  readonly session: Session | null;
  /** Why there is no session, for the answer. */
  readonly refused: Reason;
  readonly address: string;
  readonly userAgent: string | null;
  /** Null on a socket, which can set none. */
  readonly cookies: Cookies | null;
  /** Whether a browser says that another site made this request. Cookies count only when false. */
  readonly crossSite: boolean;
  readonly connection: Connection | null;
  /** How everything that is said to a subscription begins on its socket, as in `{"id":7`. Null for calls, and over HTTP. */
  readonly answerHead: string | null;
  /** Aborted when the caller is gone. Undefined on a socket, which disposes of what it follows by itself. */
  readonly signal: AbortSignal | undefined;
}

/** A token to a session; never throws, because a throw while a socket's context is made would close it without a word. */
export async function authenticate(
  deps: Deps,
  token: string | null,
): Promise<{ session: Session | null; refused: Reason }> {
  if (token === null) return { session: null, refused: 'not_signed_in' };
  const verified = await deps.tokens.verify(token);
  if ('refused' in verified) return { session: null, refused: verified.refused };
  if (deps.revocations.has(verified.session.sessionId)) return { session: null, refused: 'session_revoked' };
  return { session: verified.session, refused: 'not_signed_in' };
}
