/**
 * The node's place in history: a snapshot of which everything visible has been published on this node. It is handed out
 * as the resume id of live events. About once a second it moves on: what was committed since is compared with what was
 * published, and what the bus lost is fetched and published after all.
 */
import type { Bus, BusMessage, StampedEvent } from '../bus/bus.ts';
import type { Db, Sql } from '../db/client.ts';
import type { Logger } from '../observe/log.ts';
import { parseSnapshot } from './cursor.ts';
import { type ChangedRow, loadEvents } from './replay.ts';

const PERIOD_MS = 1_000;
/** After a failed round (database away) the next tries come more slowly. */
const MAX_PERIOD_MS = 10_000;
/** A change may be committed but not published yet, by this very process: it gets this long before it counts as lost. */
const PUBLISH_MS = 50;

export class Hub {
  readonly #deps: { sql: Sql; db: Db; bus: Bus; log: Logger };
  readonly #stopObserving: () => void;
  #snapshot: string | undefined;
  #round = 0;
  #followers = 0;
  #timer: NodeJS.Timeout | undefined;
  #period = PERIOD_MS;
  #closed = false;
  /** `conversation/version` of what was published since the snapshot was taken. */
  #published = new Set<string>();

  constructor(deps: { sql: Sql; db: Db; bus: Bus; log: Logger }) {
    this.#deps = deps;
    this.#stopObserving = deps.bus.observe((message) => this.#note(message));
  }

  /** Counts up whenever the snapshot moves. */
  get round(): number {
    return this.#round;
  }

  /** Undefined until the first round is done. */
  get snapshot(): string | undefined {
    return this.#snapshot;
  }

  /**
   * With other nodes rounds are made from the beginning on and always: what one of them commits may be lost by the bus, so
   * whoever begins to follow must find a snapshot that is older than his own.
   */
  async start(): Promise<void> {
    if (!this.#deps.bus.isShared) return;
    await this.advance();
    this.#schedule();
  }

  /** Alone, rounds are made while somebody follows. */
  enter(): () => void {
    this.#followers += 1;
    if (this.#followers === 1 && !this.#deps.bus.isShared) this.#schedule();
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#followers -= 1;
      if (this.#followers > 0 || this.#deps.bus.isShared) return;
      clearTimeout(this.#timer);
      // Nobody to compare for: the next follower begins with a snapshot of its own.
      this.#snapshot = undefined;
      this.#published.clear();
    };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stopObserving();
  }

  get #isWatching(): boolean {
    return this.#followers > 0 || this.#deps.bus.isShared;
  }

  #note(message: BusMessage): void {
    if (message.kind !== 'events' || !this.#isWatching) return;
    for (const { version } of message.events) this.#published.add(`${message.conversationId}/${version}`);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed || !this.#isWatching) return;
    this.#timer = setTimeout(() => void this.#turn(), this.#period);
    this.#timer.unref();
  }

  async #turn(): Promise<void> {
    try {
      await this.advance();
      this.#period = PERIOD_MS;
    } catch (error) {
      this.#period = Math.min(this.#period * 2, MAX_PERIOD_MS);
      if (!this.#closed) this.#deps.log.warn({ err: error }, 'feed: could not read what changed');
    }
    this.#schedule();
  }

  /** One round. What was published before the query began is visible in its snapshot, so only this round needs it. */
  async advance(): Promise<void> {
    const earlier = this.#published;
    this.#published = new Set();
    const before = this.#snapshot;
    try {
      const { now, rows } = await this.#changedSince(before);
      const isLost = (row: ChangedRow) => {
        const key = `${row.conversation_id}/${row.version}`;
        return !earlier.has(key) && !this.#published.has(key);
      };
      if (rows.some(isLost)) {
        await new Promise((resolve) => setTimeout(resolve, PUBLISH_MS));
        await this.#deliverLost(rows.filter(isLost), isLost);
      }
      this.#snapshot = now;
      this.#round += 1;
    } catch (error) {
      for (const key of earlier) this.#published.add(key);
      throw error;
    }
  }

  /** Of everything that somebody listens to by the time of the snapshot, also if he began while it was being read. */
  async #changedSince(before: string | undefined): Promise<{ now: string; rows: ChangedRow[] }> {
    const { sql, bus } = this.#deps;
    const listened = (): Listened => ({
      conversations: bus.listened('c:'),
      // Alone, nobody is added without this node knowing.
      people: bus.isShared ? bus.listened('u:') : [],
    });
    const asked = listened();
    const { now, rows } = await changedSince(sql, before, asked);
    if (!bus.isShared) return { now, rows };
    const late = without(listened(), asked);
    if (late.conversations.length + late.people.length > 0) rows.push(...(await changedSince(sql, before, late)).rows);
    return { now, rows };
  }

  /** Each transaction as one message, as it was published: who is added by it joins in time to hear the rest of it. */
  async #deliverLost(rows: ChangedRow[], isLost: (row: ChangedRow) => boolean): Promise<void> {
    const events = await loadEvents(this.#deps.db, rows);
    let together: StampedEvent[] = [];
    for (const [i, row] of rows.entries()) {
      const event = events[i];
      // It may have come after all while this was being read.
      if (event && isLost(row)) together.push(event);
      const next = rows[i + 1];
      if (next?.conversation_id === row.conversation_id && next.xid === row.xid) continue;
      const conversationId = row.conversation_id;
      if (together.length > 0) this.#deps.bus.deliver({ kind: 'events', conversationId, events: together });
      together = [];
    }
  }
}

interface Listened {
  readonly conversations: string[];
  readonly people: string[];
}

function without(all: Listened, known: Listened): Listened {
  const [conversations, people] = [new Set(known.conversations), new Set(known.people)];
  return {
    conversations: all.conversations.filter((id) => !conversations.has(id)),
    people: all.people.filter((id) => !people.has(id)),
  };
}

/**
 * Rows of these conversations, and of those that these people came into, changed since a snapshot; none when there is no
 * snapshot to compare with. By the ids that are listened to, because an index on what every message changes would cost
 * each send more than this costs a second.
 */
async function changedSince(
  sql: Sql,
  before: string | undefined,
  { conversations, people }: Listened,
): Promise<{ now: string; rows: ChangedRow[] }> {
  const snapshot = before === undefined ? undefined : parseSnapshot(before);
  if (!before || !snapshot) {
    const [row] = await sql<{ now: string }[]>`select pg_current_snapshot()::text as now`;
    return { now: row?.now ?? '', rows: [] };
  }
  const since = sql`${String(snapshot.xmin)}::xid8`;
  const unseen = (xid: string) =>
    sql`${sql.unsafe(xid)} >= ${since} and not pg_visible_in_snapshot(${sql.unsafe(xid)}, ${before}::pg_snapshot)`;
  const rows = await sql<(Partial<ChangedRow> & { now: string })[]>`
    with came as (
      select p.conversation_id as id from conversation_participants p
      where p.user_id = any(${people}::uuid[]) and ${unseen('p.own_xid')}
    ),
    touched as (
      select id from conversations where id = any(${conversations}::uuid[]) and ${unseen('changed_xid')}
      union select c.id from came join conversations c on c.id = came.id where ${unseen('c.changed_xid')}
    ),
    changed as (
      select 'message' as kind, m.conversation_id, m.version, m.id::text as key, m.changed_xid as xid
      from touched t join messages m on m.conversation_id = t.id where ${unseen('m.changed_xid')}
      union all
      select 'conversation', c.id, c.own_version, '', c.own_xid from touched t join conversations c on c.id = t.id where ${unseen('c.own_xid')}
      union all
      select 'keys', e.conversation_id, e.version, e.epoch::text, e.changed_xid
      from touched t join conversation_epochs e on e.conversation_id = t.id where ${unseen('e.changed_xid')}
      union all
      -- Watermarks are told by receipts, and by a resume; here they would be as many as members times messages.
      select 'participant', p.conversation_id, p.version, p.user_id::text, p.own_xid
      from touched t join conversation_participants p on p.conversation_id = t.id where ${unseen('p.own_xid')}
    )
    select pg_current_snapshot()::text as now, changed.* from (select 1) one left join changed on true
    order by changed.conversation_id, changed.version`;
  return {
    now: rows[0]?.now ?? before,
    rows: rows.filter((row): row is ChangedRow & { now: string } => row.kind !== undefined && row.kind !== null),
  };
}
