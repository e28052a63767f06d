/** Push subscriptions: which browsers of a person are told outside of the page. One belongs to the session that made it. */
import { ECDH } from 'node:crypto';
import { and, desc, eq, inArray, ne } from 'drizzle-orm';
import { uuidv7 } from 'uuidv7';
import type { z } from 'zod';
import { ParleyError } from '#protocol/errors';
import { LIMITS } from '#protocol/limits';
import type { Subscribe } from '#protocol/push';
import type { Session } from '../auth/tokens.ts';
import { pushSubscriptions } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { acceptsLocalPush, requirePublicEndpoint } from './push-endpoint.ts';

/** Idempotent. A browser that another account used before belongs to the caller from now on; beyond the limit the oldest go. */
export async function subscribe(
  deps: Deps,
  { userId, sessionId }: Pick<Session, 'userId' | 'sessionId'>,
  { endpoint, keys }: z.output<typeof Subscribe>,
): Promise<{ success: true }> {
  requirePoint(keys.p256dh);
  await requirePublicEndpoint(endpoint, acceptsLocalPush(deps.env.publicUrl));
  const s = pushSubscriptions;
  await deps.db.transaction(async (tx) => {
    // Removed rather than handed over, because the marks of what it was told are another person's.
    await tx.delete(s).where(and(eq(s.endpoint, endpoint), ne(s.userId, userId)));
    await tx
      .insert(s)
      .values({ id: uuidv7(), userId, sessionId, endpoint, ...keys })
      .onConflictDoUpdate({ target: s.endpoint, set: { userId, sessionId, ...keys } });
    const surplus = await tx
      .select({ id: s.id })
      .from(s)
      .where(eq(s.userId, userId))
      .orderBy(desc(s.createdAt), desc(s.id))
      .offset(LIMITS.pushSubscriptions);
    const ids = surplus.map(({ id }) => id);
    if (ids.length > 0) await tx.delete(s).where(inArray(s.id, ids));
  });
  return { success: true };
}

export async function unsubscribe(deps: Deps, userId: string, endpoint: string): Promise<{ success: true }> {
  const s = pushSubscriptions;
  await deps.db.delete(s).where(and(eq(s.endpoint, endpoint), eq(s.userId, userId)));
  return { success: true };
}

/** Nothing can be encrypted for what is no point of the curve; told now, because later there is nobody to tell. */
function requirePoint(p256dh: string): void {
  try {
    ECDH.convertKey(p256dh, 'prime256v1', 'base64url');
  } catch (cause) {
    throw new ParleyError('BAD_REQUEST', 'bad_format', { cause });
  }
}
