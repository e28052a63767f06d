/** What was committed since a snapshot, of what this node listens to: which conversations, and which rows of them. */
import type { Sql } from '../db/client.ts';
import { parseSnapshot, type Snapshot } from './cursor.ts';
import type { ChangedRow } from './replay.ts';

export interface Listened {
  readonly conversations: string[];
  readonly people: string[];
}

export interface Touched {
  readonly id: string;
  /** As it is now. */
  readonly version: number;
}

export async function readNow(sql: Sql): Promise<string> {
  const [row] = await sql<{ now: string }[]>`select pg_current_snapshot()::text as now`;
  return row?.now ?? '';
}

const unseen = (sql: Sql, before: string, snapshot: Snapshot) => (xid: string) =>
  sql`${sql.unsafe(xid)} >= ${String(snapshot.xmin)}::xid8 and not pg_visible_in_snapshot(${sql.unsafe(xid)}, ${before}::pg_snapshot)`;

/**
 * Which of these conversations, and of those that these people came into, were changed since a snapshot; none when there is
 * no snapshot to compare with. By the ids that are listened to, because an index on what every message changes would cost
 * each send more than this costs a second.
 */
export async function touchedSince(
  sql: Sql,
  before: string | undefined,
  { conversations, people }: Listened,
): Promise<{ now: string; touched: Touched[] }> {
  const snapshot = before === undefined ? undefined : parseSnapshot(before);
  if (!before || !snapshot) {
    return { now: await readNow(sql), touched: [] };
  }
  const isUnseen = unseen(sql, before, snapshot);
  const rows = await sql<{ now: string; id: string | null; version: number }[]>`
    with came as (
      select p.conversation_id as id from conversation_participants p
      where p.user_id = any(${people}::uuid[]) and ${isUnseen('p.own_xid')}
    ),
    touched as (
      select id, version from conversations where id = any(${conversations}::uuid[]) and ${isUnseen('changed_xid')}
      union select c.id, c.version from came join conversations c on c.id = came.id where ${isUnseen('c.changed_xid')}
    )
    select pg_current_snapshot()::text as now, touched.* from (select 1) one left join touched on true`;
  const touched = rows.flatMap(({ id, version }) => (id === null ? [] : [{ id, version }]));
  return { now: rows[0]?.now ?? before, touched };
}

/** Rows of these conversations changed since a snapshot, in the order of their versions. */
export async function changedSince(sql: Sql, before: string, ids: string[]): Promise<ChangedRow[]> {
  const snapshot = parseSnapshot(before);
  if (!snapshot) throw new TypeError('the snapshot of the node is malformed');
  const isUnseen = unseen(sql, before, snapshot);
  return sql<ChangedRow[]>`
    with touched as (select unnest(${ids}::uuid[]) as id)
    select 'message' as kind, m.conversation_id, m.version, m.id::text as key, m.changed_xid as xid
    from touched t join messages m on m.conversation_id = t.id where ${isUnseen('m.changed_xid')}
    union all
    select 'conversation', c.id, c.own_version, '', c.own_xid from touched t join conversations c on c.id = t.id where ${isUnseen('c.own_xid')}
    union all
    select 'keys', e.conversation_id, e.version, e.epoch::text, e.changed_xid
    from touched t join conversation_epochs e on e.conversation_id = t.id where ${isUnseen('e.changed_xid')}
    union all
    -- Watermarks are told by receipts, and by a resume; here they would be as many as members times messages.
    select 'participant', p.conversation_id, p.version, p.user_id::text, p.own_xid
    from touched t join conversation_participants p on p.conversation_id = t.id where ${isUnseen('p.own_xid')}
    order by 2, 3`;
}
