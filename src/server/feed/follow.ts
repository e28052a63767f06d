/** `feed.follow`: listen first, then give what was missed, then go live - one iterator per subscription. */
import { tracked } from '@trpc/server';
import type { FeedEvent } from '#protocol/event';
import type { BusMessage, StampedEvent } from '../bus/bus.ts';
import type { Deps } from '../deps.ts';
import { withoutReading } from '../domain/privacy.ts';
import { CatchUp, type Given } from './catch-up.ts';
import { parseSnapshot, type Snapshot } from './cursor.ts';
import type { Line } from './line.ts';
import { Outlet, sizeOf } from './outlet.ts';
import { endWith, type Watcher } from './watcher.ts';

const RETRY_MS = [100, 500, 1_000, 2_000, 5_000];
/** Live events held back while the past is given. Beyond it they are dropped, and found in the database after it. */
const HELD_BYTES = 512 * 1024;

type Tracked = ReturnType<typeof tracked<FeedEvent>>;
const END = { value: undefined, done: true } as const;

interface Held extends StampedEvent {
  readonly conversationId: string;
}

interface Look {
  readonly events: readonly StampedEvent[];
  /** Who wrote messages in it. */
  readonly writers: ReadonlySet<string>;
  /** Several that are the same for whoever sees them. */
  readonly burst: readonly FeedEvent[] | null;
}

let latest: Look | undefined;

/** Once for all who hear it. */
function lookAt(events: readonly StampedEvent[]): Look {
  if (latest?.events === events) return latest;
  const messages = events.flatMap(({ event }) => (event.type === 'message' ? [event] : []));
  const writers = new Set(messages.map(({ message }) => message.senderId));
  latest = { events, writers, burst: messages.length === events.length && messages.length > 1 ? messages : null };
  return latest;
}

const isRemoval = (event: FeedEvent, userId: string): boolean =>
  event.type === 'participant' && event.removed && event.userId === userId;

export class Follower implements AsyncIterableIterator<Tracked> {
  readonly #deps: Deps;
  readonly #watcher: Watcher;
  readonly #lastEventId: string | null | undefined;
  readonly #outlet: Outlet;
  readonly #ready: { snapshot: string; event: FeedEvent }[] = [];
  #held: Held[] = [];
  #heldBytes = 0;
  #heldTooMuch = false;
  /** The newest version that the replay gave, by conversation: what the bus says of older ones, for a while after it too, is known. */
  #given: Map<string, number> | undefined;
  #phase: 'start' | 'replay' | 'live' | 'closed' = 'start';
  #past: CatchUp | undefined;
  #coming: Promise<Given[] | undefined> | undefined;
  /** The snapshot this subscription itself has reached. */
  #reached = '';
  #startRound = 0;
  #parked: ((result: IteratorResult<Tracked, undefined>) => void) | undefined;
  /** The adapter has written what it was given, and waits for more. */
  #isAwaited = false;
  #release: (() => void)[] = [];

  constructor(deps: Deps, watcher: Watcher, lastEventId: string | null | undefined) {
    this.#deps = deps;
    this.#watcher = watcher;
    this.#lastEventId = lastEventId;
    this.#outlet = new Outlet(watcher.connection, watcher.line);
    endWith(watcher, () => this.#close());
  }

  get #isClosed(): boolean {
    return this.#phase === 'closed';
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Not `async`: whoever waits for what comes live, as nearly all do nearly always, holds one promise and nothing else. */
  next(): Promise<IteratorResult<Tracked, undefined>> {
    this.#isAwaited = true;
    return this.#phase === 'live' && this.#ready.length === 0 ? this.#park() : this.#take();
  }

  #park(): Promise<IteratorResult<Tracked, undefined>> {
    return new Promise((resolve) => (this.#parked = resolve));
  }

  async #take(): Promise<IteratorResult<Tracked, undefined>> {
    while (true) {
      if (this.#watcher.connection?.isOpen === false) this.#close();
      const room = this.#outlet.room();
      if (room && !(await room)) this.#cut();
      if (this.#phase === 'closed') return END;
      const ready = this.#ready.shift();
      if (ready) {
        this.#isAwaited = false;
        this.#outlet.taken(ready.event);
        return { value: this.#track(ready.snapshot, ready.event), done: false };
      }
      if (this.#phase === 'live') return this.#park();
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
        // Gone while it waited.
        if (this.#isClosed) return;
      }
    }
  }

  async #start(): Promise<void> {
    const { userId } = this.#watcher;
    const lastEventId = this.#lastEventId;
    // Once, however often what follows has to be tried.
    if (this.#release.length === 0) {
      const stop = await this.#deps.audience.listen(userId, (message) => this.#hear(message));
      this.#release = [stop, this.#deps.hub.enter()];
      // Gone meanwhile, with nothing to let go of then.
      if (this.#phase === 'closed') return this.#letGo();
    }
    this.#startRound = this.#deps.hub.round;
    const read = typeof lastEventId === 'string' ? this.#deps.cursors.read(userId, lastEventId) : undefined;
    if (read?.ok) return this.#catchUp(read.snapshot);
    this.#reached = await this.#deps.hub.now();
    if (this.#phase === 'closed') return;
    if (read) this.#push(this.#reached, { type: 'resync', reason: read.reason });
    this.#goLive();
  }

  #catchUp(after: Snapshot): void {
    this.#past = new CatchUp(this.#deps, this.#watcher.userId, { after, isGone: () => this.#isClosed });
    this.#phase = 'replay';
  }

  async #replay(): Promise<void> {
    const past = this.#past;
    if (!past) throw new TypeError('a replay begins at a cursor');
    const coming = this.#coming ?? this.#load(past);
    this.#coming = undefined;
    const events = await coming;
    if (this.#isClosed) return;
    this.#reached = past.until;
    if (past.isBehind) {
      this.#push(past.until, { type: 'resync', reason: 'behind' });
      return this.#goLive();
    }
    if (!events) return this.#endReplay();
    const { isLong } = past;
    // Read while this is written: the question goes out first.
    this.#coming = this.#load(past);
    await new Promise(setImmediate);
    if (this.#isClosed) return;
    const given = (this.#given ??= new Map());
    const { line } = this.#watcher;
    for (const { conversationId, version, snapshot, event } of events) {
      given.set(conversationId, Math.max(version, given.get(conversationId) ?? 0));
      if (isLong && line && this.#isAwaited) line.own(this.#seen(event), snapshot);
      else this.#push(snapshot, event);
    }
  }

  #load(past: CatchUp): Promise<Given[] | undefined> {
    const coming = past.next();
    // Whether it failed is seen by whoever waits for it, if somebody does.
    coming.catch(() => {});
    return coming;
  }

  #endReplay(): void {
    const reached = parseSnapshot(this.#reached);
    if (!this.#heldTooMuch || !reached) return this.#goLive();
    // More happened meanwhile than was worth holding: from here on once more.
    this.#heldTooMuch = false;
    this.#catchUp(reached);
  }

  #goLive(): void {
    this.#past = undefined;
    this.#push(this.#reached, { type: 'live' });
    this.#phase = 'live';
    // In one conversation versions are committed in their order: up to the newest given one, all were.
    const given = this.#given;
    if (given) this.#held = this.#held.filter(({ conversationId: id, version }) => version > (given.get(id) ?? 0));
    this.#flush();
  }

  /** What was committed before the resume and is told only now was given by it already. */
  #unknown({ conversationId, events }: BusMessage & { kind: 'events' }): readonly StampedEvent[] {
    const given = this.#given;
    if (!given || this.#phase !== 'live') return events;
    if (this.#deps.hub.round > this.#startRound + 1) this.#given = undefined;
    const known = given.get(conversationId) ?? 0;
    return (events[0]?.version ?? 0) > known ? events : events.filter(({ version }) => version > known);
  }

  #hear(message: BusMessage): void {
    if (message.kind !== 'events' || this.#phase === 'closed') return;
    const { conversationId } = message;
    const events = this.#unknown(message);
    if (events.length === 0) return;
    // The sender's own copy goes last: first the others, then his answer, which settles what he wrote.
    const isOwn = lookAt(events).writers.has(this.#watcher.userId);
    if (this.#phase === 'live' && this.#held.length === 0 && !isOwn) return this.#give(events);
    for (const stamped of events) this.#hold({ ...stamped, conversationId });
    if (this.#past && events.some(({ event }) => isRemoval(event, this.#watcher.userId)))
      this.#past.leave(conversationId);
    if (this.#phase !== 'live') return;
    if (isOwn) setImmediate(() => this.#flush());
    else this.#flush();
  }

  #hold(held: Held): void {
    if (this.#phase !== 'live') {
      if (this.#heldTooMuch) return;
      this.#heldBytes += sizeOf(held.event);
      this.#heldTooMuch = this.#heldBytes > HELD_BYTES;
      if (this.#heldTooMuch) {
        this.#held = [];
        this.#heldBytes = 0;
        return;
      }
    }
    this.#held.push(held);
  }

  #flush(): void {
    if (this.#phase === 'live' && this.#held.length > 0) this.#give(this.#held.splice(0));
  }

  #give(events: readonly StampedEvent[]): void {
    const position = this.#position();
    const { line } = this.#watcher;
    const { burst } = lookAt(events);
    if (burst && this.#isAwaited && line) line.events(burst, position);
    else for (const { event } of events) this.#push(position, event);
    if (this.#outlet.isOverfull) this.#cut();
  }

  /** The node's snapshot once it is newer than where this subscription started. */
  #position(): string {
    const { hub } = this.#deps;
    return hub.round > this.#startRound + 1 && hub.snapshot ? hub.snapshot : this.#reached;
  }

  #push(snapshot: string, event: FeedEvent): void {
    const { line } = this.#watcher;
    // All before it is written, so it may go straight.
    if (this.#isAwaited && line) return this.#write(line, snapshot, event);
    const parked = this.#parked;
    if (parked) {
      this.#parked = undefined;
      this.#isAwaited = false;
      return parked({ value: this.#track(snapshot, event), done: false });
    }
    this.#outlet.queued(event);
    this.#ready.push({ snapshot, event });
  }

  #write(line: Line, snapshot: string, event: FeedEvent): void {
    line.event(this.#seen(event), snapshot);
  }

  #track(snapshot: string, event: FeedEvent): Tracked {
    return tracked(this.#deps.cursors.write(this.#watcher.userId, snapshot), this.#seen(event));
  }

  #seen(event: FeedEvent): FeedEvent {
    if (event.type === 'message') return event;
    const { userId } = this.#watcher;
    return this.#deps.audience.privacyOf(userId)?.receipts === false ? withoutReading(event, userId) : event;
  }

  #cut(): void {
    if (this.#phase === 'closed') return;
    this.#deps.log.info('feed: a reader was too slow and is cut; it resumes from its cursor');
    this.#outlet.cut();
    this.#close();
  }

  #letGo(): void {
    for (const release of this.#release) release();
    this.#release = [];
  }

  #close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#outlet.close();
    this.#letGo();
    this.#ready.length = 0;
    this.#held = [];
    this.#parked?.(END);
    this.#parked = undefined;
  }
}
