/**
 * The node's place in history: a snapshot of which everything visible has been published on this node. It is handed out
 * as the resume id of live events. About once a second it moves on: what was committed since is compared with what was
 * published, and what the bus lost is fetched and published after all. Conversations are compared by their versions alone;
 * rows are read only where some are missing.
 */
import { Together } from '#lib/together';
import type { Bus, BusMessage, StampedEvent } from '../bus/bus.ts';
import type { Db, Sql } from '../db/client.ts';
import type { Logger } from '../observe/log.ts';
import { changedSince, type Listened, readNow, type Touched, touchedSince } from './changed.ts';
import { Published } from './published.ts';
import { type ChangedRow, loadEvents } from './replay.ts';

const PERIOD_MS = 1_000;
/** After a failed round (database away) the next tries come more slowly. */
const MAX_PERIOD_MS = 10_000;
/** A change may be committed but not published yet, by this very process: it gets this long before it counts as lost. */
const PUBLISH_MS = 50;
/** Remembered at most. One that is forgotten is looked at row by row once more. */
const MOST_VERSIONS = 100_000;

type IsPublished = (conversationId: string, version: number) => boolean;

export class Hub {
  readonly #deps: { sql: Sql; db: Db; bus: Bus; log: Logger };
  readonly #stopObserving: () => void;
  #snapshot: string | undefined;
  #round = 0;
  #followers = 0;
  /** Counts up when the last follower leaves: a round that began before is nobody's any more. */
  #watch = 0;
  #timer: NodeJS.Timeout | undefined;
  #period = PERIOD_MS;
  #closed = false;
  /** Since the snapshot was taken. */
  #published = new Published();
  /** Of conversations, as of the snapshot. */
  readonly #versions = new Map<string, number>();
  readonly #moments: Together<'now', string>;

  constructor(deps: { sql: Sql; db: Db; bus: Bus; log: Logger }) {
    this.#deps = deps;
    this.#moments = new Together(async () => new Map([['now', await readNow(deps.sql)]]));
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

  /** A snapshot of a moment after the question. Many who come at once share one. */
  now(): Promise<string> {
    return this.#moments.ask('now');
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
      this.#watch += 1;
      this.#snapshot = undefined;
      this.#published.clear();
      this.#versions.clear();
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
    this.#published.note(message);
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
    this.#published = new Published();
    const before = this.#snapshot;
    const watch = this.#watch;
    const isPublished: IsPublished = (conversationId, version) =>
      earlier.has(conversationId, version) || this.#published.has(conversationId, version);
    try {
      const { now, touched } = await this.#touchedSince(before);
      const holed = before === undefined ? [] : await this.#holed(touched, isPublished);
      if (watch !== this.#watch) return;
      if (before !== undefined) await this.#mend(before, holed, isPublished);
      if (watch !== this.#watch) return;
      if (this.#versions.size > MOST_VERSIONS) this.#versions.clear();
      for (const { id, version } of touched) this.#versions.set(id, version);
      this.#snapshot = now;
      this.#round += 1;
    } catch (error) {
      if (watch === this.#watch) this.#published.add(earlier);
      throw error;
    }
  }

  /** Of these, the ones of which versions since the last round were not published, or that are new here. */
  async #holed(touched: readonly Touched[], isPublished: IsPublished): Promise<string[]> {
    const isWhole = ({ id, version }: Touched) => {
      for (let one = version; one > (this.#versions.get(id) ?? version); one--) if (!isPublished(id, one)) return false;
      return true;
    };
    const fresh = touched.filter(({ id }) => !this.#versions.has(id));
    let holed = touched.filter((one) => !isWhole(one));
    if (holed.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, PUBLISH_MS));
      holed = holed.filter((one) => !isWhole(one));
    }
    return [...fresh, ...holed].map(({ id }) => id);
  }

  async #mend(before: string, ids: string[], isPublished: IsPublished): Promise<void> {
    if (ids.length === 0) return;
    const isLost = (row: ChangedRow) => !isPublished(row.conversation_id, row.version);
    const lost = (await changedSince(this.#deps.sql, before, ids)).filter(isLost);
    if (lost.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, PUBLISH_MS));
    await this.#deliverLost(lost.filter(isLost), isLost);
  }

  /** Of everything that somebody listens to by the time of the snapshot, also if he began while it was being read. */
  async #touchedSince(before: string | undefined): Promise<{ now: string; touched: Touched[] }> {
    const { sql, bus } = this.#deps;
    const listened = (): Listened => ({
      conversations: bus.listened('c:'),
      // Alone, nobody is added without this node knowing.
      people: bus.isShared ? bus.listened('u:') : [],
    });
    const asked = listened();
    const { now, touched } = await touchedSince(sql, before, asked);
    if (!bus.isShared) return { now, touched };
    const late = without(listened(), asked);
    if (late.conversations.length + late.people.length > 0)
      touched.push(...(await touchedSince(sql, before, late)).touched);
    return { now, touched };
  }

  /** Each transaction as one message, as it was published: who is added by it joins in time to hear the rest of it. */
  async #deliverLost(rows: ChangedRow[], isLost: (row: ChangedRow) => boolean): Promise<void> {
    const events = await loadEvents(this.#deps, rows);
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

function without(all: Listened, known: Listened): Listened {
  const [conversations, people] = [new Set(known.conversations), new Set(known.people)];
  return {
    conversations: all.conversations.filter((id) => !conversations.has(id)),
    people: all.people.filter((id) => !people.has(id)),
  };
}
