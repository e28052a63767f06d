/** One person's way from a cursor to now: pages of what changed, and of each page as much content at a time as fits. */
import type { StampedEvent } from '../bus/bus.ts';
import type { Deps } from '../deps.ts';
import { cutSnapshot, formatSnapshot, parseSnapshot, type Snapshot } from './cursor.ts';
import { sizeOf } from './outlet.ts';
import { type ChangedRow, loadEvents, type ReplayPage, replayPage } from './replay.ts';

/**
 * Rows found at a time; of these only keys are held, about 1 MB. Nearly everybody has missed less than the first page. Each page
 * looks at all that is still to come, so for who missed more they are few.
 */
const FIRST_PAGE = 500;
const PAGE = 4_000;
/** Content held at a time, about: envelopes may have 40,000 characters. */
const PIECE_BYTES = 256 * 1024;
const FIRST_PIECE = 50;

/** An event and the snapshot up to which everything has been given once this event has. */
export interface Given extends StampedEvent {
  readonly conversationId: string;
  readonly snapshot: string;
}

export class CatchUp {
  readonly #deps: Deps;
  readonly #userId: string;
  readonly #isGone: () => boolean;
  readonly #left = new Set<string>();
  /** Where the person was. */
  readonly #began: Snapshot;
  /** Where the next page begins. */
  #after: Snapshot;
  #until: Snapshot | undefined;
  #page: ChangedRow[] = [];
  #given = 0;
  #isLastPage = false;
  #coming: Promise<{ page: ReplayPage; limit: number }> | undefined;
  #piece = FIRST_PIECE;
  /** Of the transaction that events were last given from, while more of it was to come. */
  #within: { readonly xid: string; readonly snapshot: string } | undefined;

  /** @param isGone whether nobody waits for it any more: it asks nothing then */
  constructor(deps: Deps, userId: string, { after, isGone }: { after: Snapshot; isGone: () => boolean }) {
    this.#deps = deps;
    this.#isGone = isGone;
    this.#userId = userId;
    this.#began = after;
    this.#after = after;
  }

  /** Where this ends; fixed by the first piece. */
  get until(): string {
    return formatSnapshot(this.#until ?? this.#began);
  }

  /** A cursor from the future: this database was set back to an earlier state. */
  get isBehind(): boolean {
    return this.#until !== undefined && this.#until.xmax < this.#began.xmax;
  }

  /** The next events; undefined when everything up to `until` was given. May throw, and may then be asked again. */
  async next(): Promise<Given[] | undefined> {
    if (this.#given === this.#page.length && !(await this.#turn())) return undefined;
    const rows = this.#page.slice(this.#given, this.#given + this.#piece);
    const recent = this.isLong ? undefined : this.#deps.recent;
    const events = await this.#inTurn(() => loadEvents(this.#deps, rows, { viewerId: this.#userId, recent }));
    const from = this.#given;
    this.#given += rows.length;
    this.#fit(events);
    return rows.flatMap((row, i): Given[] => {
      const event = events[i];
      if (!event || (event.event.type === 'message' && this.#left.has(row.conversation_id))) return [];
      // Written out: a copy would cost as much as all the rest that is done here.
      return [
        {
          version: event.version,
          event: event.event,
          conversationId: row.conversation_id,
          snapshot: this.#cutBehind(from + i),
        },
      ];
    });
  }

  /** The person was removed meanwhile: what is still to come was found before (P22). */
  leave(conversationId: string): void {
    this.#left.add(conversationId);
  }

  /** Who was away for long has missed what few others have. */
  get isLong(): boolean {
    return !this.#isLastPage || this.#page.length > FIRST_PAGE;
  }

  /** @returns whether there is another page */
  async #turn(): Promise<boolean> {
    if (this.#isLastPage) return false;
    const coming = this.#coming ?? this.#ask();
    this.#coming = undefined;
    const { page, limit } = await coming;
    this.#until ??= parseSnapshot(page.until);
    if (!this.#until) throw new TypeError('Postgres gave no snapshot');
    this.#isLastPage = page.rows.length < limit;
    this.#page = page.rows;
    this.#given = 0;
    const last = page.rows.at(-1);
    if (last) this.#after = cutSnapshot(this.#until, BigInt(last.xid) + 1n);
    if (page.rows.length === 0 || this.isBehind) return false;
    if (!this.#isLastPage) this.#coming = this.#ask();
    return true;
  }

  /** The next page is looked for while this one is given. */
  #ask(): Promise<{ page: ReplayPage; limit: number }> {
    const { sql } = this.#deps;
    const limit = this.#until ? PAGE : FIRST_PAGE;
    const until = this.#until ? formatSnapshot(this.#until) : null;
    const asked = { userId: this.#userId, after: this.#after, until, limit };
    const coming = this.#inTurn(async () => ({ page: await replayPage(sql, asked), limit }));
    // Whoever turns the page sees whether it failed, and asks again.
    coming.catch(() => {});
    return coming;
  }

  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    return this.#deps.replays.run(async () => {
      if (this.#isGone()) throw new Error('nobody waits for it any more');
      return ask();
    });
  }

  /** Everything of a row's transaction has been given only with its last row on the page. */
  #cutBehind(i: number): string {
    const until = this.#until ?? this.#began;
    const xid = this.#page[i]?.xid ?? '0';
    if (this.#page[i + 1]?.xid !== xid) return formatSnapshot(cutSnapshot(until, BigInt(xid) + 1n));
    if (this.#within?.xid !== xid) this.#within = { xid, snapshot: formatSnapshot(cutSnapshot(until, BigInt(xid))) };
    return this.#within.snapshot;
  }

  #fit(events: readonly (StampedEvent | undefined)[]): void {
    let bytes = 0;
    for (const stamped of events) if (stamped) bytes += sizeOf(stamped.event);
    if (bytes === 0) return;
    this.#piece = Math.max(5, Math.min(FIRST_PAGE, Math.floor((events.length * PIECE_BYTES) / bytes)));
  }
}
