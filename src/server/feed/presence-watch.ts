/** `presence.onChange`: of the people on somebody's screen, what he may see, when it changes. */
import type { PresenceSignal } from '#protocol/signal';
import type { BusMessage } from '../bus/bus.ts';
import type { Deps } from '../deps.ts';
import { presenceVisibleTo } from '../domain/privacy.ts';
import { Signals } from './signals.ts';
import type { Watcher } from './watcher.ts';

/** Transitions come in bursts (a node goes, a network comes back): what is told within this time is told as one. */
const GATHER_MS = 50;
const RETRY_MS = 1_000;
const UNSEEN = { status: 'offline', lastSeenAt: null } as const;

let latest: { readonly message: BusMessage; readonly signal: PresenceSignal } | undefined;

/** One for all who watch the same person: its bytes are made once (line.ts). */
function signalOf(message: BusMessage & { kind: 'presence' }): PresenceSignal {
  const { userId, status, lastSeenAt } = message;
  if (latest?.message !== message) latest = { message, signal: { userId, status, lastSeenAt } };
  return latest.signal;
}

/** First the current state of everyone asked for, then transitions. Who hides, or is shared with no longer, looks offline. */
export function watchPresence(deps: Deps, watcher: Watcher, userIds: string[]) {
  return Signals.over<PresenceSignal>(watcher, async (signals) => {
    const watch = new PresenceWatch(deps, watcher.userId, userIds, signals);
    await watch.start();
    return () => watch.stop();
  });
}

/** Its lists are as long as the one of people, and go by its order: there is one of these for each page that is open. */
class PresenceWatch {
  readonly #deps: Deps;
  readonly #viewerId: string;
  readonly #userIds: readonly string[];
  readonly #signals: Signals<PresenceSignal>;
  readonly #told: (string | undefined)[];
  #isVisible: readonly boolean[] = [];
  #pending: Map<string, PresenceSignal> | undefined;
  /** Who may be seen has to be asked anew. */
  #isStale = true;
  #timer: NodeJS.Timeout | undefined;
  #stop: (() => void) | undefined;
  readonly #ear = (message: BusMessage) => this.#hear(message);

  constructor(deps: Deps, viewerId: string, userIds: string[], signals: Signals<PresenceSignal>) {
    this.#deps = deps;
    this.#viewerId = viewerId;
    this.#userIds = new Set(userIds).size === userIds.length ? userIds : [...new Set(userIds)];
    this.#told = Array.from({ length: this.#userIds.length });
    this.#signals = signals;
  }

  async start(): Promise<void> {
    const { bus, audience } = this.#deps;
    try {
      for (const id of this.#userIds) bus.subscribe(`p:${id}`, this.#ear);
      this.#stop = await audience.listen(this.#viewerId, this.#ear);
      await this.#tellAll();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const id of this.#userIds) this.#deps.bus.unsubscribe(`p:${id}`, this.#ear);
    this.#stop?.();
    this.#stop = undefined;
  }

  #hear(message: BusMessage): void {
    if (message.kind === 'presence') (this.#pending ??= new Map()).set(message.userId, signalOf(message));
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
    if (!this.#stop) return;
    if (this.#isStale) this.#soon(RETRY_MS);
    else if (this.#pending) this.#soon(GATHER_MS);
  }

  async #tell(): Promise<void> {
    if (this.#isStale) return this.#tellAll();
    const pending = this.#pending;
    this.#pending = undefined;
    if (!pending) return;
    this.#sayEach((userId, isVisible) => {
      const signal = pending.get(userId);
      return isVisible || !signal ? signal : { userId, ...UNSEEN };
    });
  }

  async #tellAll(): Promise<void> {
    // Before the questions: what is heard while they are on their way asks again.
    this.#isStale = false;
    this.#pending = undefined;
    try {
      const visible = await presenceVisibleTo(this.#deps.db, this.#viewerId, this.#userIds);
      this.#isVisible = this.#userIds.map((id) => visible.has(id));
      const known = await this.#deps.presence.get([...visible]);
      this.#sayEach((userId) =>
        this.#pending?.has(userId) ? undefined : { userId, ...(known.get(userId) ?? UNSEEN) },
      );
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
  }

  /** @param signalFor undefined where there is nothing new to say */
  #sayEach(signalFor: (userId: string, isVisible: boolean) => PresenceSignal | undefined): void {
    for (const [i, userId] of this.#userIds.entries()) {
      const signal = signalFor(userId, this.#isVisible[i] ?? false);
      if (!signal) continue;
      const { status, lastSeenAt } = signal;
      const told = lastSeenAt === null ? status : `${status} ${lastSeenAt}`;
      if (this.#told[i] === told) continue;
      // A reader that is behind is told the state of then, later.
      if (this.#signals.push(signal)) this.#told[i] = told;
      else this.#isStale = true;
    }
  }
}

/** Who comes or goes may change who shares a conversation with whom. */
const changesPeople = (message: BusMessage & { kind: 'events' }): boolean =>
  message.events.some(({ event }) => event.type === 'participant' || event.type === 'conversation');
