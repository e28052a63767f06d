/** What somebody missed: an exact set difference between his cursor and now, in pages ordered by last change. */
import type { FeedEvent } from '#protocol/event';
import { loadConversations, loadParticipants } from '../domain/present.ts';
import { type Db, type Sql, takeRows } from '../db/client.ts';
import type { StampedEvent } from '../bus/bus.ts';
import { formatSnapshot, type Snapshot } from './cursor.ts';
import type { Recent } from './recent.ts';
import { storedMessages } from './stored-message.ts';

/** A row that changed: where to find it, and which transaction did it last. */
export interface ChangedRow {
  readonly kind: 'message' | 'conversation' | 'participant' | 'keys';
  readonly conversation_id: string;
  readonly version: number;
  /** Message id, user id or epoch number; empty for the conversation itself. */
  readonly key: string;
  readonly xid: string;
}

export interface ReplayPage {
  /** The snapshot up to which this replay goes, fixed by its first page. */
  readonly until: string;
  readonly rows: ChangedRow[];
}

/**
 * Rows of the person's conversations that `after` does not contain, and `until` does (null: everything committed by now).
 * A page ends with all rows of its last transaction, so that a cursor can be cut behind it.
 */
export async function replayPage(
  sql: Sql,
  { userId, after, until, limit }: { userId: string; after: Snapshot; until: string | null; limit: number },
): Promise<ReplayPage> {
  const from = formatSnapshot(after);
  const missed = (xid: string) => sql`
    ${sql.unsafe(xid)} >= ${String(after.xmin)}::xid8 and not pg_visible_in_snapshot(${sql.unsafe(xid)}, ${from}::pg_snapshot)
    ${until === null ? sql`` : sql`and pg_visible_in_snapshot(${sql.unsafe(xid)}, ${until}::pg_snapshot)`}`;
  const rows = await sql<(Partial<ChangedRow> & { now: string })[]>`
    with mine as (
      select p.conversation_id, p.visible_from_seq, c.changed_xid from conversation_participants p
      join conversations c on c.id = p.conversation_id
      where p.user_id = ${userId} and p.left_at is null
    ),
    touched as (select * from mine where changed_xid >= ${String(after.xmin)}::xid8),
    missed as (
      select 'message' as kind, m.conversation_id, m.version, m.id::text as key, m.changed_xid as xid
      from touched t join messages m on m.conversation_id = t.conversation_id and m.seq > t.visible_from_seq
      where ${missed('m.changed_xid')}
      union all
      select 'conversation', c.id, c.own_version, '', c.own_xid
      from touched t join conversations c on c.id = t.conversation_id where ${missed('c.own_xid')}
      union all
      select 'keys', e.conversation_id, e.version, e.epoch::text, e.changed_xid
      from touched t join conversation_epochs e on e.conversation_id = t.conversation_id where ${missed('e.changed_xid')}
      union all
      -- Watermarks move without touching the conversation's row, so these are looked for in all of mine.
      select 'participant', p.conversation_id, p.version, p.user_id::text, p.changed_xid
      from mine t join conversation_participants p on p.conversation_id = t.conversation_id where ${missed('p.changed_xid')}
      union all
      select 'participant', p.conversation_id, p.version, p.user_id::text, p.changed_xid
      from conversation_participants p where p.user_id = ${userId} and p.left_at is not null and ${missed('p.changed_xid')}
    ),
    page as (select * from missed order by xid fetch first ${limit} rows with ties)
    select pg_current_snapshot()::text as now, kind, conversation_id, version, key, xid::text as xid
    from (select 1) one left join page on true order by page.xid, conversation_id, version`;
  return {
    until: until ?? rows[0]?.now ?? from,
    rows: takeRows(rows).filter(
      (row): row is ChangedRow & { now: string } => row.kind !== undefined && row.kind !== null,
    ),
  };
}

/** The current state of each changed row as an event; undefined for what is not there any more. For one viewer, or for all. */
export async function loadEvents(
  { db, sql }: { db: Db; sql: Sql },
  rows: ChangedRow[],
  { viewerId, recent }: { viewerId?: string; recent?: Recent | undefined } = {},
): Promise<(StampedEvent | undefined)[]> {
  const of = (kind: ChangedRow['kind']) => rows.filter((row) => row.kind === kind);
  const unique = (ids: string[]) => [...new Set(ids)];
  const messageOf = new Map<string, FeedEvent>();
  for (const { key, version } of of('message')) {
    const known = recent?.find(key, version);
    if (known) messageOf.set(key, known);
  }
  const unknown = of('message').flatMap(({ key }) => (messageOf.has(key) ? [] : [key]));
  const [messages, conversations, participants] = await Promise.all([
    storedMessages(sql, unknown),
    loadConversations(db, unique(of('conversation').map((row) => row.conversation_id)), viewerId),
    // Of a large group only those who changed.
    loadParticipants(db, unique(of('participant').map((row) => row.conversation_id)), {
      viewerId,
      userIds: unique(of('participant').map(({ key }) => key)),
    }),
  ]);
  for (const event of messages) {
    messageOf.set(event.id, event);
    recent?.keep(event);
  }
  const personOf = new Map(participants.map((row) => [`${row.conversationId}/${row.participant.user.id}`, row]));
  return rows.map((row): StampedEvent | undefined => {
    const conversationId = row.conversation_id;
    const stamp = (event: FeedEvent | undefined) => event && { version: row.version, event };
    switch (row.kind) {
      case 'message':
        return stamp(messageOf.get(row.key));
      case 'conversation': {
        const conversation = conversations.get(conversationId);
        return stamp(conversation && { type: 'conversation', conversation });
      }
      case 'keys':
        return stamp({ type: 'keys', conversationId, epoch: Number(row.key), version: row.version });
      case 'participant': {
        const found = personOf.get(`${conversationId}/${row.key}`);
        return stamp({
          type: 'participant',
          conversationId,
          userId: row.key,
          participant: found?.participant ?? null,
          removed: found === undefined,
          version: found?.version ?? row.version,
        });
      }
    }
  });
}
