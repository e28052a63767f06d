/** `presence.onChange`: of the people on somebody's screen, what he may see, when it changes. */
import type { PresenceSignal } from '#protocol/signal';
import type { BusMessage } from '../bus/bus.ts';
import type { Deps } from '../deps.ts';
import { presenceVisibleTo } from '../domain/privacy.ts';
import { type Push, stream, type Watcher } from './signals.ts';

/** Transitions come in bursts (a node goes, a network comes back): what is told within this time is told as one. */
const GATHER_MS = 50;
const RETRY_MS = 1_000;
const UNSEEN = { status: 'offline', lastSeenAt: null } as const;

/** First the current state of everyone asked for, then transitions. Who hides, or is shared with no longer, looks offline. */
export function watchPresence(deps: Deps, watcher: Watcher, userIds: string[]) {
  return stream<PresenceSignal>(watcher, async (push) => {
    const watch = new PresenceWatch(deps, watcher.userId, userIds, push);
    await watch.start();
    return () => watch.stop();
  });
}

class PresenceWatch {
  readonly #deps: Deps;
  readonly #viewerId: string;
  readonly #userIds: readonly string[];
  readonly #push: Push<PresenceSignal>;
  readonly #told = new Map<string, string>();
  readonly #pending = new Map<string, Omit<PresenceSignal, 'userId'>>();
  #visible: ReadonlySet<string> = new Set();
  /** Who may be seen has to be asked anew. */
  #isStale = true;
  #timer: NodeJS.Timeout | undefined;
  #stops: (() => void)[] = [];

  constructor(deps: Deps, viewerId: string, userIds: string[], push: Push<PresenceSignal>) {
    this.#deps = deps;
    this.#viewerId = viewerId;
    this.#userIds = [...new Set(userIds)];
    this.#push = push;
  }

  async start(): Promise<void> {
    const { bus, audience } = this.#deps;
    try {
      for (const id of this.#userIds) this.#stops.push(bus.subscribe(`p:${id}`, (message) => this.#hear(message)));
      this.#stops.push(await audience.listen(this.#viewerId, (message) => this.#hear(message)));
      await this.#tellAll();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const stop of this.#stops.splice(0)) stop();
  }

  #hear(message: BusMessage): void {
    if (message.kind === 'presence')
      this.#pending.set(message.userId, { status: message.status, lastSeenAt: message.lastSeenAt });
    else if (message.kind === 'privacy' || (message.kind === 'events' && changesPeople(message))) this.#isStale = true;
    else return;
    this.#soon(GATHER_MS);
  }

  /** One at a time: a state that was asked for earlier must not be told later. */
  #soon(ms: number): void {
    this.#timer ??= setTimeout(() => void this.#turn(), ms).unref();
  }

  async #turn(): Promise<void> {
    try {
      await this.#tell();
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'presence not told, trying again');
    }
    this.#timer = undefined;
    if (this.#stops.length === 0) return;
    if (this.#isStale) this.#soon(RETRY_MS);
    else if (this.#pending.size > 0) this.#soon(GATHER_MS);
  }

  async #tell(): Promise<void> {
    if (this.#isStale) return this.#tellAll();
    for (const [userId, state] of this.#pending) this.#say(userId, this.#visible.has(userId) ? state : UNSEEN);
    this.#pending.clear();
  }

  async #tellAll(): Promise<void> {
    // Before the questions: what is heard while they are on their way asks again.
    this.#isStale = false;
    this.#pending.clear();
    try {
      this.#visible = await presenceVisibleTo(this.#deps.db, this.#viewerId, this.#userIds);
      const known = await this.#deps.presence.get([...this.#visible]);
      for (const id of this.#userIds) if (!this.#pending.has(id)) this.#say(id, known.get(id) ?? UNSEEN);
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
  }

  #say(userId: string, state: Omit<PresenceSignal, 'userId'>): void {
    const told = `${state.status} ${state.lastSeenAt}`;
    if (this.#told.get(userId) === told) return;
    // A reader that is behind is told the state of then, later.
    if (this.#push({ userId, ...state })) this.#told.set(userId, told);
    else this.#isStale = true;
  }
}

/** Who comes or goes may change who shares a conversation with whom. */
const changesPeople = (message: BusMessage & { kind: 'events' }): boolean =>
  message.events.some(({ event }) => event.type === 'participant' || event.type === 'conversation');
