/** Who may see whom: people who share an active conversation. */
import { sql } from 'drizzle-orm';
import type { Db } from '../db/client.ts';

/** Of these people, the ones in some conversation with the viewer; the viewer himself counts. */
export async function sharingWith(db: Db, viewerId: string, userIds: string[]): Promise<Set<string>> {
  if (userIds.length === 0) return new Set();
  const rows = await db.execute<{ user_id: string }>(sql`
    select distinct theirs.user_id from conversation_participants mine
    join conversation_participants theirs on theirs.conversation_id = mine.conversation_id
    where mine.user_id = ${viewerId} and mine.left_at is null and theirs.left_at is null and theirs.user_id in ${userIds}`);
  return new Set([viewerId, ...rows.map((row) => row.user_id)]);
}
