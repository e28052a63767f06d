/** Signed-in devices: a session is a family of refresh tokens of which one is unspent; a spent one that returns ends it. */
import { createHash, randomBytes } from 'node:crypto';
import { and, desc, eq, gt, isNull, lt, ne, type SQL } from 'drizzle-orm';
import { uuidv7 } from 'uuidv7';
import type { Session as SessionInfo } from '#protocol/auth';
import { notFound, ParleyError, type Reason } from '#protocol/errors';
import { REFRESH_TTL_S } from '../auth/limits.ts';
import type { Session } from '../auth/tokens.ts';
import type { Tx } from '../db/client.ts';
import { refreshTokens, sessions } from '../db/tables.ts';
import type { Deps } from '../deps.ts';

export type SessionKind = 'token' | 'cookie';

/** What a device gets: to be handed out as the session's kind says. */
export interface Issued {
  readonly userId: string;
  readonly sessionId: string;
  readonly kind: SessionKind;
  readonly refreshToken: string;
}

/** Spent tokens are remembered so long to recognise their reuse. */
const REMEMBER_SPENT_MS = 30 * 24 * 60 * 60 * 1000;
const USER_AGENT_LENGTH = 300;

const hashOf = (token: string) => createHash('sha256').update(token).digest();

async function addToken(tx: Tx, sessionId: string): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  await tx.insert(refreshTokens).values({ hash: hashOf(token), sessionId });
  return token;
}

export async function openSession(
  tx: Tx,
  now: number,
  { userId, kind, userAgent }: { userId: string; kind: SessionKind; userAgent: string | null },
): Promise<Issued> {
  const sessionId = uuidv7();
  await tx.insert(sessions).values({
    id: sessionId,
    userId,
    kind,
    userAgent: userAgent?.slice(0, USER_AGENT_LENGTH) ?? null,
    expiresAt: new Date(now + REFRESH_TTL_S * 1000),
  });
  return { userId, sessionId, kind, refreshToken: await addToken(tx, sessionId) };
}

const refused = (reason: Reason) => new ParleyError('UNAUTHORIZED', reason);

/** Spends a refresh token for the next one. @throws ParleyError UNAUTHORIZED; after `refresh_reused` the session has ended. */
export async function rotate(deps: Deps, token: string): Promise<Issued> {
  const now = deps.now();
  const hash = hashOf(token);
  // A refusal must not roll back what it has to leave behind, so it is thrown after the transaction.
  const outcome = await deps.db.transaction(async (tx): Promise<Issued | { reason: Reason; end?: string }> => {
    const [found] = await tx
      .select({ sessionId: refreshTokens.sessionId, spentAt: refreshTokens.spentAt })
      .from(refreshTokens)
      .where(eq(refreshTokens.hash, hash))
      .for('update');
    if (!found) return { reason: 'not_signed_in' };
    const { sessionId } = found;
    const [session] = await tx.select().from(sessions).where(eq(sessions.id, sessionId)).for('update');
    if (!session || session.revokedAt !== null) return { reason: 'session_revoked' };
    if (session.expiresAt.getTime() <= now) return { reason: 'token_expired' };
    if (found.spentAt !== null) return { reason: 'refresh_reused', end: sessionId };
    await tx
      .update(refreshTokens)
      .set({ spentAt: new Date(now) })
      .where(eq(refreshTokens.hash, hash));
    await tx
      .delete(refreshTokens)
      .where(and(eq(refreshTokens.sessionId, sessionId), lt(refreshTokens.spentAt, new Date(now - REMEMBER_SPENT_MS))));
    await tx
      .update(sessions)
      .set({ lastSeenAt: new Date(now), expiresAt: new Date(now + REFRESH_TTL_S * 1000) })
      .where(eq(sessions.id, sessionId));
    return { userId: session.userId, sessionId, kind: session.kind, refreshToken: await addToken(tx, sessionId) };
  });
  if (!('reason' in outcome)) return outcome;
  if (outcome.end !== undefined) await end(deps, eq(sessions.id, outcome.end));
  throw refused(outcome.reason);
}

/** The session a refresh token belongs to, spent or not: who holds it may at least end it. */
export async function sessionOfToken(deps: Deps, token: string): Promise<string | null> {
  const [found] = await deps.db
    .select({ sessionId: refreshTokens.sessionId })
    .from(refreshTokens)
    .where(eq(refreshTokens.hash, hashOf(token)));
  return found?.sessionId ?? null;
}

/** Ends sessions: refresh and access tokens are refused and sockets closed at once, here and on the other nodes. */
async function end(deps: Deps, which: SQL | undefined): Promise<string[]> {
  const ended = await deps.db
    .update(sessions)
    .set({ revokedAt: new Date(deps.now()) })
    .where(and(isNull(sessions.revokedAt), which))
    .returning({ id: sessions.id });
  const sessionIds = ended.map(({ id }) => id);
  deps.revocations.add(sessionIds);
  if (sessionIds.length > 0) deps.bus.publish({ kind: 'revoked', sessionIds });
  return sessionIds;
}

export const endSession = (deps: Deps, sessionId: string) => end(deps, eq(sessions.id, sessionId));
export const endAllSessions = (deps: Deps, userId: string) => end(deps, eq(sessions.userId, userId));
export const endOtherSessions = (deps: Deps, { userId, sessionId }: Pick<Session, 'userId' | 'sessionId'>) =>
  end(deps, and(eq(sessions.userId, userId), ne(sessions.id, sessionId)));

export async function endOwnSession(deps: Deps, userId: string, sessionId: string): Promise<void> {
  const ended = await end(deps, and(eq(sessions.id, sessionId), eq(sessions.userId, userId)));
  if (ended.length === 0) throw notFound();
}

export async function listSessions(deps: Deps, me: Session): Promise<SessionInfo[]> {
  const rows = await deps.db
    .select({
      id: sessions.id,
      createdAt: sessions.createdAt,
      lastSeenAt: sessions.lastSeenAt,
      userAgent: sessions.userAgent,
    })
    .from(sessions)
    .where(
      and(eq(sessions.userId, me.userId), isNull(sessions.revokedAt), gt(sessions.expiresAt, new Date(deps.now()))),
    )
    .orderBy(desc(sessions.lastSeenAt));
  return rows.map((row) => ({
    id: row.id,
    current: row.id === me.sessionId,
    createdAt: row.createdAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    userAgent: row.userAgent,
  }));
}
