/**
 * The job of somebody's return. The feed gives him his backlog; this job sees to it that his devices really took it,
 * and is what an operator sees failing when one is connected and does not.
 */
import type { Queue } from 'bullmq';
import type { Deps } from '../deps.ts';
import { deduplication, type OfflineMessages } from './queues.ts';

export type Welcomed = 'delivered' | 'gone_again';

/** So many of his waiting jobs are taken back. Others would find him online and do nothing. */
const MOST_WITHDRAWN = 100;

interface Attempt {
  readonly first: boolean;
  /** When he came back, as the job says: later messages are not its business. */
  readonly since: Date;
  readonly deliveries: Queue;
}

/** @throws Error while his devices have not acknowledged what waited: the next attempt looks again. */
export async function welcome(deps: Deps, { userId }: OfflineMessages, attempt: Attempt): Promise<Welcomed> {
  const waiting = await deps.sql<{ conversation_id: string }[]>`
    select p.conversation_id from conversation_participants p join conversations c on c.id = p.conversation_id
    where p.user_id = ${userId} and p.left_at is null and c.is_active and greatest(p.delivered_seq, p.visible_from_seq) < c.last_seq
      and exists (select 1 from messages m where m.conversation_id = c.id
        and m.seq = greatest(p.delivered_seq, p.visible_from_seq) + 1 and m.created_at <= ${attempt.since.toISOString()}::timestamptz)`;
  if (attempt.first)
    for (const row of waiting.slice(0, MOST_WITHDRAWN)) await withdraw(attempt.deliveries, userId, row.conversation_id);
  if (waiting.length === 0) return 'delivered';
  const presence = await deps.presence.get([userId]);
  if ((presence.get(userId)?.status ?? 'offline') === 'offline') {
    // What was taken back, or done while he was here, has to wait for him again.
    deps.offline.left(userId);
    return 'gone_again';
  }
  throw new Error(`messages of ${waiting.length} conversations are not acknowledged yet`);
}

/** He is here: nobody needs to tell him outside of the page. A job that runs already notices that itself. */
async function withdraw(deliveries: Queue, userId: string, conversationId: string): Promise<void> {
  const id = await deliveries.getDeduplicationJobId(deduplication(userId, conversationId).id);
  const job = id === null ? undefined : await deliveries.getJob(id);
  await job?.remove().catch(() => {});
}
