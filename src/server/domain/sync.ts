/** `sync.bootstrap`: one consistent picture to start from, and the cursor that goes on from exactly there. */
import { sql } from 'drizzle-orm';
import { LIMITS } from '#protocol/limits';
import type { Deps } from '../deps.ts';
import { findMe } from './accounts.ts';
import { listConversations } from './conversation-list.ts';

export async function bootstrap(deps: Deps, userId: string) {
  return deps.db.transaction(
    async (tx) => {
      const [at] = await tx.execute<{ now: string }>(sql`select pg_current_snapshot()::text as now`);
      if (!at) throw new TypeError('Postgres gave no snapshot');
      const user = await findMe({ db: tx }, userId);
      const page = await listConversations(tx, userId, { limit: LIMITS.pageDefault });
      return { cursor: deps.cursors.write(userId, at.now), user, ...page };
    },
    // Everything is read in the snapshot that the cursor names.
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  );
}
