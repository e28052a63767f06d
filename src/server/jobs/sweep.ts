/** Looks for lost jobs: who is away and was never told, as Postgres alone shows it (P19). And puts away what nobody needs. */
import type { Queue } from 'bullmq';
import type { Deps } from '../deps.ts';
import { findBehind } from './behind.ts';
import { MessageDelivery, type Timing } from './queues.ts';

/** A large loss is made good in several rounds. */
const MOST_JOBS = 2_000;
/** The failed jobs that are looked at, newest first; BullMQ keeps as many. */
const FAILED = 1_000;

/** @returns how many jobs were missing. */
export async function sweep(deps: Deps, deliveries: Queue, timing: Timing): Promise<number> {
  await deps.sql`
    delete from push_subscriptions s using sessions x
    where x.id = s.session_id and (x.revoked_at is not null or x.expires_at <= now())`;
  const { settle, giveUp } = timing;
  const found = await findBehind(deps.sql, { olderMs: settle, youngerMs: giveUp, limit: MOST_JOBS });
  const absent = await deps.offline.absent(found.map((one) => ({ ...one, others: [] })));
  if (absent.length === 0) return 0;
  const resting = await recentlyFailed(deliveries, timing.pause);
  const missing = absent.filter(
    ({ userId, conversationId, lastMessageAt }) => lastMessageAt > (resting.get(`${userId}/${conversationId}`) ?? 0),
  );
  await deps.offline.addDeliveries(missing);
  if (missing.length > 0) deps.log.debug({ count: missing.length }, 'jobs: added what was missing');
  return missing.length;
}

/**
 * A push service that is down for an hour is not asked every half minute. The queue itself remembers, Redis or Postgres.
 * @returns person and conversation -> when the last attempt looked what there was to tell; what is newer does not rest
 */
async function recentlyFailed(deliveries: Queue, pauseMs: number): Promise<Map<string, number>> {
  const since = Date.now() - pauseMs;
  const jobs = await deliveries.getFailed(0, FAILED - 1);
  const looked = new Map<string, number>();
  for (const job of jobs) {
    const data = MessageDelivery.safeParse(job?.data).data;
    if (!data || (job.finishedOn ?? 0) <= since) continue;
    const key = `${data.userId}/${data.conversationId}`;
    looked.set(key, Math.max(looked.get(key) ?? 0, job.processedOn ?? 0));
  }
  return looked;
}
