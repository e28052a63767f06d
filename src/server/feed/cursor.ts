/**
 * The resume cursor: a Postgres snapshot, bound to the database it came from and the person it was given to. It means
 * "everything visible in this snapshot has been given" - which no time and no counter can promise, because both are
 * handed out before the commit (docs/decisions/0002-order-and-cursor.md).
 */
import { createHash } from 'node:crypto';
import type { Sql } from '../db/client.ts';

/** xmin:xmax:xip - all ids below xmin are over, none from xmax on had begun, those listed were under way. */
export interface Snapshot {
  readonly xmin: bigint;
  readonly xmax: bigint;
  readonly running: readonly bigint[];
}

const TEXT = /^(\d{1,19}):(\d{1,19}):((?:\d{1,19}(?:,\d{1,19})*)?)$/;

export function parseSnapshot(text: string): Snapshot | undefined {
  const match = TEXT.exec(text);
  if (!match) return undefined;
  const xmin = BigInt(match[1] ?? '');
  const xmax = BigInt(match[2] ?? '');
  const running = match[3] ? match[3].split(',').map(BigInt) : [];
  let before = xmin - 1n;
  for (const xid of running) {
    if (xid <= before || xid >= xmax) return undefined;
    before = xid;
  }
  return xmin >= 1n && xmin <= xmax ? { xmin, xmax, running } : undefined;
}

export const formatSnapshot = ({ xmin, xmax, running }: Snapshot) => `${xmin}:${xmax}:${running.join(',')}`;

/** The part of a snapshot below an id: where a replay that breaks off after that id goes on. */
export function cutSnapshot({ xmin, xmax, running }: Snapshot, at: bigint): Snapshot {
  const end = at < xmax ? at : xmax;
  return { xmin: xmin < end ? xmin : end, xmax: end, running: running.filter((xid) => xid < end) };
}

/** Which database this is: a restored or promoted copy has another history, and its clients start afresh (P34). */
export async function readDatabaseTag(sql: Sql): Promise<string> {
  const [row] = await sql<{ tag: string }[]>`
    select s.system_identifier || '/' || c.timeline_id || '/' || d.oid as tag
    from pg_control_system() s, pg_control_checkpoint() c, pg_database d where d.datname = current_database()`;
  if (!row) throw new TypeError('the database does not say which one it is');
  return row.tag;
}

export type ReadCursor = { ok: true; snapshot: Snapshot } | { ok: false; reason: 'malformed' | 'foreign' };

/** Of a cursor, before the dot: whose it is, and of which database. Base64url. */
export const TAG_CHARACTERS = 10;

/** Makes and reads the cursors of one database. */
export class Cursors {
  readonly #database: string;
  readonly #tags = new Map<string, string>();

  constructor(database: string) {
    this.#database = database;
  }

  /** Short on purpose: it travels with every event. */
  tag(userId: string): string {
    const known = this.#tags.get(userId);
    if (known) return known;
    const tag = createHash('sha256').update(`${this.#database}/${userId}`).digest('base64url').slice(0, TAG_CHARACTERS);
    // A cache, not a register: it may be emptied at any time.
    if (this.#tags.size > 50_000) this.#tags.clear();
    this.#tags.set(userId, tag);
    return tag;
  }

  write(userId: string, snapshot: string): string {
    return `${this.tag(userId)}.${snapshot}`;
  }

  read(userId: string, cursor: string): ReadCursor {
    const dot = cursor.indexOf('.');
    const snapshot = parseSnapshot(cursor.slice(dot + 1));
    if (dot !== TAG_CHARACTERS || !snapshot) return { ok: false, reason: 'malformed' };
    return cursor.slice(0, dot) === this.tag(userId) ? { ok: true, snapshot } : { ok: false, reason: 'foreign' };
  }
}
