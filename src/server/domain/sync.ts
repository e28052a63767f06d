/** `sync.bootstrap`: one consistent picture to start from, and the cursor that goes on from exactly there. */
import { eq, sql } from 'drizzle-orm';
import { LIMITS } from '#protocol/limits';
import { users } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { listConversations } from './conversation-list.ts';
import { userColumns } from './present.ts';

export async function bootstrap(deps: Deps, userId: string) {
  return deps.db.transaction(
    async (tx) => {
      const [at] = await tx.execute<{ now: string }>(sql`select pg_current_snapshot()::text as now`);
      const [user] = await tx
        .select({ ...userColumns, email: users.email })
        .from(users)
        .where(eq(users.id, userId));
      if (!at || !user) throw new TypeError('a signed-in person is missing');
      const page = await listConversations(tx, userId, { limit: LIMITS.pageDefault });
      return { cursor: deps.cursors.write(userId, at.now), user, ...page };
    },
    // Everything is read in the snapshot that the cursor names.
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  );
}
