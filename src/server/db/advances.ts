/**
 * Moves watermarks: advances that arrive while others are being written go together in the next statement, and are
 * answered after its commit. A lone one waits for nobody.
 */
import { isUniqueViolation, type Sql } from './client.ts';
import { overloaded } from './writer.ts';

export interface Goal {
  readonly conversationId: string;
  readonly userId: string;
  readonly deliveredSeq: number;
  readonly readSeq: number;
}

export interface Standing {
  readonly delivered: number;
  readonly read: number;
  /** As others see it: no further than where the person began to hide what he reads. */
  readonly shown: number;
  readonly moved: boolean;
  /** Something has moved that others may know. */
  readonly told: boolean;
}

/** Thousands who have read the same message come back as one row. */
interface Place extends Standing {
  /** Of the goals that ended here: their numbers, with commas between. */
  readonly ords: string;
}

interface Waiting {
  goal: Goal;
  readonly standing: Promise<Standing | null>;
  readonly resolve: (standing: Standing | null) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_BATCH = 1_000;
/** Beyond this the answer is "later" instead of a growing queue (P18). */
const MAX_WAITING = 10_000;
/** After more than so many at once more are on their way: they are gathered for a moment. Nobody looks at a screen for their answer. */
const CROWD = 16;
const GATHER_MS = 20;

export class Advances {
  readonly #sql: Sql;
  readonly #waiting = new Map<string, Waiting>();
  #alone = 0;
  #busy = false;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** @returns where the person stands now; null when he is not in the conversation */
  advance(goal: Goal): Promise<Standing | null> {
    const key = `${goal.conversationId}/${goal.userId}`;
    const known = this.#waiting.get(key);
    if (known) {
      known.goal = farther(known.goal, goal);
      return known.standing;
    }
    if (this.#waiting.size + this.#alone >= MAX_WAITING) return Promise.reject(overloaded());
    const waiting = newWaiting(goal);
    this.#waiting.set(key, waiting);
    if (!this.#busy) void this.#drain();
    return waiting.standing;
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    // Calls of the same tick join the first statement.
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      const batch = this.#take();
      await this.#flush(batch);
      if (batch.length > CROWD) await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    }
    this.#busy = false;
  }

  #take(): Waiting[] {
    const batch: Waiting[] = [];
    for (const [key, waiting] of this.#waiting) {
      if (batch.length === MAX_BATCH) break;
      batch.push(waiting);
      this.#waiting.delete(key);
    }
    return batch;
  }

  /**
   * A statement that holds many rows waits for none: rows that somebody else holds are left to statements of their own. It
   * does not look for readings that are noted already either, which costs an eighth of it: watermarks only grow, so there are none.
   */
  async #flush(batch: readonly Waiting[]): Promise<void> {
    try {
      const places = await move(
        this.#sql,
        batch.map(({ goal }) => goal),
      );
      const left = new Set(batch);
      for (const place of places)
        for (const ord of place.ords.split(',')) {
          const one = batch[Number(ord)];
          if (!one) continue;
          one.resolve(place);
          left.delete(one);
        }
      for (const one of left) void this.#flushAlone(one);
    } catch (error) {
      for (const one of batch)
        if (isUniqueViolation(error)) void this.#flushAlone(one);
        else one.reject(error);
    }
  }

  async #flushAlone({ goal, resolve, reject }: Waiting): Promise<void> {
    this.#alone++;
    try {
      const [place] = await move(this.#sql, [goal], 'alone');
      resolve(place ?? null);
    } catch (error) {
      reject(error);
    }
    this.#alone--;
  }
}

const farther = (a: Goal, b: Goal): Goal => ({
  ...a,
  deliveredSeq: Math.max(a.deliveredSeq, b.deliveredSeq),
  readSeq: Math.max(a.readSeq, b.readSeq),
});

function newWaiting(goal: Goal): Waiting {
  let resolve: Waiting['resolve'] = () => {};
  let reject: Waiting['reject'] = () => {};
  const standing = new Promise<Standing | null>((...settle) => ([resolve, reject] = settle));
  return { goal, standing, resolve, reject };
}

/**
 * Clamps to the last message, moves the watermarks forward if they move at all, and keeps one row per advance with its
 * time: what is read is delivered, so a row of reading stands for both.
 */
function move(sql: Sql, goals: readonly Goal[], alone?: 'alone'): Promise<Place[]> {
  // Texts of arrays cost the server less than JSON.
  const column = (of: (goal: Goal) => string | number) => `{${goals.map(of).join()}}`;
  const conversations = column(({ conversationId }) => conversationId);
  const people = column(({ userId }) => userId);
  const delivered = column(({ deliveredSeq }) => deliveredSeq);
  const read = column(({ readSeq }) => readSeq);
  return sql<Place[]>`
    with p as (
      select i.ord - 1 as ord, i.d, i.r, p.*
      from unnest(${conversations}::text::uuid[], ${people}::text::uuid[], ${delivered}::text::bigint[], ${read}::text::bigint[])
        with ordinality as i(c, u, d, r, ord)
      cross join lateral (
        select p.conversation_id, p.user_id, p.delivered_seq, p.read_seq, p.reads_hidden_after from conversation_participants p
        where p.conversation_id = i.c and p.user_id = i.u and p.left_at is null
        for no key update ${alone ? sql`` : sql`skip locked`} limit 1
      ) p
    ),
    goal as (
      select p.*, greatest(p.read_seq, least(p.r, c.last_seq)) as read,
        greatest(p.delivered_seq, least(greatest(p.d, p.r), c.last_seq)) as delivered
      from p cross join lateral (select last_seq from conversations where id = p.conversation_id limit 1) c
    ),
    moved as (
      update conversation_participants t set delivered_seq = g.delivered, read_seq = g.read, changed_xid = pg_current_xact_id()
      from goal g where t.conversation_id = g.conversation_id and t.user_id = g.user_id
        and (g.delivered > g.delivered_seq or g.read > g.read_seq)
    ),
    noted as (
      insert into receipts (conversation_id, user_id, kind, from_seq, up_to_seq)
      select g.conversation_id, g.user_id, 'read', g.read_seq, g.read from goal g
      where g.read > g.read_seq and g.reads_hidden_after is null
      union all
      select g.conversation_id, g.user_id, 'delivered', g.delivered_seq, g.delivered from goal g
      where g.delivered > g.delivered_seq and not (g.delivered = g.read and g.reads_hidden_after is null)
      ${alone ? sql`on conflict do nothing` : sql``}
    )
    select g.delivered, g.read, least(g.read, g.reads_hidden_after) as shown,
      g.delivered > g.delivered_seq or g.read > g.read_seq as moved,
      g.delivered > g.delivered_seq or (g.read > g.read_seq and g.reads_hidden_after is null) as told,
      string_agg(g.ord::text, ',') as ords
    from goal g group by 1, 2, 3, 4, 5`;
}
