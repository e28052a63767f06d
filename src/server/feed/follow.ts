/** `feed.follow`: listen first, then replay what was missed, then go live - one iterator per subscription. */
import { tracked } from '@trpc/server';
import type { WebSocket } from 'ws';
import { CLOSE } from '#protocol/close-codes';
import type { FeedEvent } from '#protocol/event';
import type { BusMessage, StampedEvent } from '../bus/bus.ts';
import type { Deps } from '../deps.ts';
import { cutSnapshot, formatSnapshot, parseSnapshot, type Snapshot } from './cursor.ts';
import { type ChangedRow, loadEvents, replayPage } from './replay.ts';

const PAGE = 500;
/** A reader that is behind by so much is cut; it resumes from its cursor (P16). */
const MAX_UNSENT_BYTES = 1024 * 1024;
const MAX_QUEUED = 20_000;
const RETRY_MS = [100, 500, 1_000, 2_000, 5_000];

type Tracked = ReturnType<typeof tracked<FeedEvent>>;
const END = { value: undefined, done: true } as const;

export interface FollowOptions {
  readonly userId: string;
  readonly lastEventId: string | null | undefined;
  readonly signal: AbortSignal;
  /** Absent over HTTP, where the stream's own back-pressure holds. */
  readonly socket: WebSocket | undefined;
}

export class Follower implements AsyncIterableIterator<Tracked> {
  readonly #deps: Deps;
  readonly #options: FollowOptions;
  readonly #ready: Tracked[] = [];
  readonly #held: StampedEvent[] = [];
  /** `conversation/version` of what the replay gave: the same from the bus is dropped. */
  readonly #given = new Set<string>();
  #phase: 'start' | 'replay' | 'live' | 'closed' = 'start';
  #after: Snapshot | undefined;
  #until: string | null = null;
  #startRound = 0;
  #parked: ((result: IteratorResult<Tracked, undefined>) => void) | undefined;
  #release: (() => void)[] = [];

  constructor(deps: Deps, options: FollowOptions) {
    this.#deps = deps;
    this.#options = options;
    options.signal.addEventListener('abort', () => this.#close(), { once: true });
    if (options.signal.aborted) this.#close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Tracked, undefined>> {
    while (true) {
      const ready = this.#ready.shift();
      if (ready) return { value: ready, done: false };
      if (this.#phase === 'closed') return END;
      if (this.#phase === 'live') return new Promise((resolve) => (this.#parked = resolve));
      await this.#persist(() => (this.#phase === 'start' ? this.#start() : this.#replay()));
    }
  }

  async return(): Promise<IteratorResult<Tracked, undefined>> {
    this.#close();
    return END;
  }

  /** Over a socket a throw would end the subscription for good, so what may pass is tried again until the client goes. */
  async #persist(step: () => Promise<void>): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await step();
      } catch (error) {
        if (this.#phase === 'closed') return;
        this.#deps.log.warn({ err: error }, 'feed: replay failed, trying again');
        const wait = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)];
        await new Promise((resolve) => setTimeout(resolve, wait));
        if (this.#options.signal.aborted) return;
      }
    }
  }

  async #start(): Promise<void> {
    const { userId, lastEventId } = this.#options;
    const stop = await this.#deps.audience.listen(userId, (message) => this.#hear(message));
    this.#release.push(stop, this.#deps.hub.enter());
    if (this.#options.signal.aborted) return this.#close();
    this.#startRound = this.#deps.hub.round;
    const read = typeof lastEventId === 'string' ? this.#deps.cursors.read(userId, lastEventId) : undefined;
    if (read?.ok) {
      this.#after = read.snapshot;
      this.#phase = 'replay';
      return;
    }
    this.#until = await this.#now();
    if (read) this.#push(this.#until, { type: 'resync', reason: read.reason });
    this.#goLive(this.#until);
  }

  async #now(): Promise<string> {
    const [row] = await this.#deps.sql<{ now: string }[]>`select pg_current_snapshot()::text as now`;
    return row?.now ?? '';
  }

  /** One page; the cursor of each event is the snapshot cut behind its transaction, so a break in the middle goes on there. */
  async #replay(): Promise<void> {
    if (!this.#after) throw new TypeError('a replay begins at a cursor');
    const { userId } = this.#options;
    const first = this.#until === null;
    const page = await replayPage(this.#deps.sql, { userId, after: this.#after, until: this.#until, limit: PAGE });
    const until = parseSnapshot(page.until);
    if (!until) throw new TypeError('Postgres gave no snapshot');
    this.#until = page.until;
    if (first && this.#after.xmax > until.xmax) {
      // A cursor from the future: this database was set back to an earlier state.
      this.#push(page.until, { type: 'resync', reason: 'behind' });
      return this.#goLive(page.until);
    }
    const events = await loadEvents(this.#deps.db, page.rows);
    for (const [i, { version, event }] of events.entries()) {
      const row = page.rows[i];
      if (!row) continue;
      this.#given.add(`${row.conversation_id}/${version}`);
      this.#push(formatSnapshot(cutBehind(until, page.rows, i)), event);
    }
    const last = page.rows.at(-1);
    if (last && page.rows.length >= PAGE) this.#after = cutSnapshot(until, BigInt(last.xid) + 1n);
    else this.#goLive(page.until);
  }

  #goLive(snapshot: string): void {
    this.#push(snapshot, { type: 'live' });
    this.#phase = 'live';
    for (const { version, event } of this.#held.splice(0))
      if (!this.#given.has(`${conversationOf(event)}/${version}`)) this.#push(this.#position(snapshot), event);
    this.#given.clear();
  }

  #hear(message: BusMessage): void {
    if (message.kind !== 'events' || this.#phase === 'closed') return;
    this.#held.push(...message.events);
    if (this.#phase !== 'live') return;
    // The sender's own copy goes last: first the others, then his answer, which settles what he wrote.
    if (message.events.every(({ event }) => this.#isOwn(event))) setImmediate(() => this.#flush());
    else this.#flush();
  }

  #isOwn(event: FeedEvent): boolean {
    return event.type === 'message' && event.message.senderId === this.#options.userId;
  }

  #flush(): void {
    if (this.#phase !== 'live') return;
    for (const { event } of this.#held.splice(0)) this.#push(this.#position(this.#until ?? ''), event);
    this.#cutIfBehind();
  }

  /** The node's snapshot once it is newer than where this subscription started. */
  #position(own: string): string {
    const { hub } = this.#deps;
    return hub.round > this.#startRound + 1 && hub.snapshot ? hub.snapshot : own;
  }

  #push(snapshot: string, event: FeedEvent): void {
    const value = tracked(this.#deps.cursors.write(this.#options.userId, snapshot), event);
    const parked = this.#parked;
    this.#parked = undefined;
    if (parked) parked({ value, done: false });
    else this.#ready.push(value);
  }

  #cutIfBehind(): void {
    const { socket } = this.#options;
    if (this.#ready.length <= MAX_QUEUED && (socket?.bufferedAmount ?? 0) <= MAX_UNSENT_BYTES) return;
    this.#deps.log.info('feed: a reader was too slow and is cut; it resumes from its cursor');
    socket?.close(CLOSE.overLimit, 'too slow');
    this.#close();
  }

  #close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    for (const release of this.#release.splice(0)) release();
    this.#ready.length = 0;
    this.#held.length = 0;
    this.#parked?.(END);
    this.#parked = undefined;
  }
}

/** Everything of the row's transaction has been given only with its last row on the page. */
function cutBehind(until: Snapshot, rows: ChangedRow[], i: number): Snapshot {
  const xid = BigInt(rows[i]?.xid ?? 0);
  const more = rows[i + 1]?.xid === rows[i]?.xid;
  return cutSnapshot(until, more ? xid : xid + 1n);
}

function conversationOf(event: FeedEvent): string {
  switch (event.type) {
    case 'message':
      return event.message.conversationId;
    case 'conversation':
      return event.conversation.id;
    case 'participant':
    case 'keys':
      return event.conversationId;
    case 'resync':
    case 'live':
      return '';
  }
}
