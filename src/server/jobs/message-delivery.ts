/**
 * The job that tells a person outside of the page: one push for each message and browser. What was told is marked in
 * Postgres push by push, so an attempt goes on where the last one ended. Everything is looked up when the job runs.
 */
import type { PushPayload } from '#protocol/push';
import type { Deps } from '../deps.ts';
import type { PushTarget, Pusher } from './pusher.ts';
import type { MessageDelivery } from './queues.ts';

/** Messages told in one go; before the next, it is looked again whether the person still wants to be told. */
const PAGE = 50;

/** Why the job is done. */
export type Delivered = 'told' | 'nobody_to_tell' | 'has_it' | 'online' | 'muted' | 'left';

interface State {
  active: boolean;
  muted: boolean;
  /** What the person has, or has been told of, ends here. */
  from: number;
  last_seq: number;
}

interface Device extends PushTarget {
  id: string;
  told: number;
}

export interface Stopping {
  /** Throws between two pushes when the process is about to end. */
  check(): Promise<void>;
}

/** @throws Error when a browser could not be told: the attempt failed, and the next one does the rest. */
export async function deliver(
  deps: Deps,
  pusher: Pusher,
  delivery: MessageDelivery,
  stopping: Stopping,
): Promise<Delivered> {
  for (;;) {
    const done = await deliverPage(deps, pusher, delivery, stopping);
    if (done !== 'more') return done;
  }
}

async function deliverPage(
  deps: Deps,
  pusher: Pusher,
  { userId, conversationId }: MessageDelivery,
  stopping: Stopping,
): Promise<Delivered | 'more'> {
  const { sql } = deps;
  const [state] = await sql<State[]>`
    select c.is_active as active, coalesce(p.muted_until > now(), false) as muted, c.last_seq,
      greatest(p.notified_seq, p.delivered_seq, p.visible_from_seq) as "from"
    from conversation_participants p join conversations c on c.id = p.conversation_id
    where p.conversation_id = ${conversationId} and p.user_id = ${userId} and p.left_at is null`;
  if (!state?.active) return 'left';
  if (state.muted) return 'muted';
  if (state.from >= state.last_seq) return 'has_it';
  const presence = await deps.presence.get([userId]);
  if ((presence.get(userId)?.status ?? 'offline') !== 'offline') return 'online';

  const devices = await sql<Device[]>`
    select s.id, s.endpoint, s.p256dh, s.auth, coalesce(k.seq, 0) as told
    from push_subscriptions s join sessions x on x.id = s.session_id
    left join push_marks k on k.subscription_id = s.id and k.conversation_id = ${conversationId}
    where s.user_id = ${userId} and x.revoked_at is null and x.expires_at > now()`;
  const payloads = devices.length === 0 ? [] : await findMessages(deps, { userId, conversationId, ...state });
  const isFull = payloads.length === PAGE;
  const upTo = (isFull ? payloads.at(-1)?.seq : undefined) ?? state.last_seq;
  const done = await Promise.all(
    devices.map((device) => tell(deps, pusher, { device, payloads, conversationId, upTo, stopping })),
  );
  const missed = done.filter((told) => !told).length;
  if (missed > 0) throw new Error(`${missed} of ${devices.length} browsers could not be told`);

  await sql`
    update conversation_participants set notified_seq = greatest(notified_seq, ${upTo})
    where conversation_id = ${conversationId} and user_id = ${userId}`;
  if (isFull) return 'more';
  return devices.length === 0 ? 'nobody_to_tell' : 'told';
}

/** Oldest first. What came during a mute is not told when it is over. */
async function findMessages(
  { sql }: Deps,
  { userId, conversationId, from, last_seq }: MessageDelivery & State,
): Promise<PushPayload[]> {
  const rows = await sql<Omit<Required<PushPayload>, 'v' | 'type'>[]>`
    select m.conversation_id as "conversationId", m.id as "messageId", m.seq, m.sender_id as "senderId",
      m.key_epoch as "keyEpoch", m.content_encrypted as "contentEncrypted"
    from messages m join conversation_participants p on p.conversation_id = m.conversation_id and p.user_id = ${userId}
    where m.conversation_id = ${conversationId} and m.seq > ${from} and m.seq <= ${last_seq} and not m.is_deleted
      and m.sender_id <> ${userId} and coalesce(m.created_at > p.muted_until, true)
    order by m.seq limit ${PAGE}`;
  return rows.map((row) => ({ v: 1, type: 'message', ...row }));
}

interface Task {
  readonly device: Device;
  readonly payloads: readonly PushPayload[];
  readonly conversationId: string;
  readonly upTo: number;
  readonly stopping: Stopping;
}

/** @returns false when this browser is not done yet. */
async function tell({ sql }: Deps, pusher: Pusher, { device, payloads, conversationId, upTo, stopping }: Task) {
  // The browser may have unsubscribed meanwhile: then there is nothing to mark.
  const mark = (seq: number) => sql`
    insert into push_marks (subscription_id, conversation_id, seq)
    select s.id, ${conversationId}::uuid, ${seq}::bigint from push_subscriptions s where s.id = ${device.id}
    on conflict (subscription_id, conversation_id) do update set seq = greatest(push_marks.seq, excluded.seq)`;
  for (const payload of payloads) {
    if (payload.seq <= device.told) continue;
    await stopping.check();
    const outcome = await pusher.send(device, payload);
    if (outcome === 'failed') return false;
    if (outcome === 'gone') {
      await sql`delete from push_subscriptions where id = ${device.id}`;
      return true;
    }
    await mark(payload.seq);
  }
  if ((payloads.at(-1)?.seq ?? 0) < upTo && device.told < upTo) await mark(upTo);
  return true;
}
