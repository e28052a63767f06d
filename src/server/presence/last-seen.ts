/** When somebody was last there: the one thing of presence that is written down. */
import { eq, inArray } from 'drizzle-orm';
import type { Db } from '../db/client.ts';
import { users } from '../db/tables.ts';
import type { Logger } from '../observe/log.ts';
import type { PersonPresence } from './presence.ts';

/** @param at ISO time */
export function noteLastSeen({ db, log }: { db: Db; log: Logger }, userId: string, at: string): void {
  const noted = db
    .update(users)
    .set({ lastSeenAt: new Date(at) })
    .where(eq(users.id, userId));
  void noted.catch((error: unknown) => log.warn({ err: error }, 'last seen not written'));
}

/** Of people who are offline. */
export async function readLastSeen(db: Db, userIds: string[]): Promise<Map<string, PersonPresence>> {
  if (userIds.length === 0) return new Map();
  const rows = await db
    .select({ id: users.id, lastSeenAt: users.lastSeenAt })
    .from(users)
    .where(inArray(users.id, userIds));
  return new Map(
    rows.map(({ id, lastSeenAt }) => [id, { status: 'offline', lastSeenAt: lastSeenAt?.toISOString() ?? null }]),
  );
}
