/**
 * Presence of several nodes. Each node says which sessions have sockets on it; Redis puts it together and tells what
 * changes (scripts.ts). A node that says nothing any more is dead, and whoever notices says so for it. All of it is
 * repeated once a minute and after every break, so that nothing that was lost stays lost.
 */
import { randomUUID } from 'node:crypto';
import type { PresenceStatus } from '#protocol/signal';
import type { Bus, BusMessage } from '../bus/bus.ts';
import type { Db } from '../db/client.ts';
import type { Logger } from '../observe/log.ts';
import type { RedisLink } from '../redis.ts';
import { noteLastSeen, readLastSeen } from './last-seen.ts';
import { GRACE_MS, mostPresent, type PersonPresence, type Presence } from './presence.ts';
import { type Held, keyOf, peopleOf, PresenceScripts } from './scripts.ts';

export interface PresenceTimes {
  readonly graceMs: number;
  /** Between two heartbeats of a node. */
  readonly beatMs: number;
  /** Without a heartbeat for so long a node is dead: five beats, so that a stalled process or a pause is not. */
  readonly deadMs: number;
  /** After a break: until all nodes have said again what they hold. */
  readonly settleMs: number;
  /** A node that stops in order is forgotten after this: long enough for its people to be elsewhere by then. */
  readonly leaveMs: number;
}
const TIMES: PresenceTimes = { graceMs: GRACE_MS, beatMs: 5_000, deadMs: 25_000, settleMs: 3_000, leaveMs: 6_000 };
/** Everything is said again every so many beats. */
const REPEAT_BEATS = 12;
/** Commands under way at once when everybody is gone through. */
const AT_ONCE = 500;
const RETRY_MS = 1_000;
/** The timeout of commands does not hold for those that are sent together, and somebody waits for this answer. */
const ANSWER_MS = 1_000;

interface Session {
  sockets: number;
  status: PresenceStatus;
  /** Set here, and not yet taken by Redis. */
  isUnsaid: boolean;
  leaving: NodeJS.Timeout | undefined;
}

export interface RedisPresenceOptions {
  readonly redis: RedisLink;
  readonly bus: Bus;
  readonly db: Db;
  readonly log: Logger;
  readonly times?: Partial<PresenceTimes>;
}

export class RedisPresence implements Presence {
  readonly #deps: RedisPresenceOptions;
  readonly #times: PresenceTimes;
  readonly #scripts: PresenceScripts;
  readonly #node = randomUUID();
  /** Who has sockets here. */
  readonly #people = new Map<string, Map<string, Session>>();
  /** What was told last, of those who are not offline, as far as this node heard it. */
  readonly #told = new Map<string, PresenceStatus>();
  /** To be said to Redis in this tick, by person, with what sessions said that have no socket here. */
  #changed = new Map<string, [string, PresenceStatus][]>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stops: (() => void)[] = [];
  #beats = 0;
  /** Since when all nodes could say that they are alive. */
  #steadySince = Date.now();
  #lastBeat = Date.now();
  #closed = false;

  constructor(options: RedisPresenceOptions) {
    this.#deps = options;
    this.#times = { ...TIMES, ...options.times };
    this.#scripts = new PresenceScripts(options.redis);
    const { commands } = options.redis;
    const onReady = () => void this.#afterBreak();
    commands.on('ready', onReady);
    this.#stops.push(
      options.bus.observe((message) => this.#note(message)),
      () => commands.off('ready', onReady),
    );
    void this.#beat();
  }

  connect(userId: string, sessionId: string): () => void {
    const sessions = this.#people.get(userId) ?? new Map<string, Session>();
    this.#people.set(userId, sessions);
    const session = sessions.get(sessionId) ?? newSession();
    clearTimeout(session.leaving);
    session.sockets += 1;
    sessions.set(sessionId, session);
    this.#touch(userId);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      session.sockets -= 1;
      if (session.sockets > 0) return;
      clearTimeout(session.leaving);
      session.leaving = setTimeout(() => this.#drop(userId, sessionId, session), this.#times.graceMs).unref();
    };
  }

  /** Its sockets may be on another node. */
  set(userId: string, sessionId: string, status: PresenceStatus): void {
    const session = this.#people.get(userId)?.get(sessionId);
    if (!session) return this.#touch(userId, [sessionId, status]);
    session.status = status;
    session.isUnsaid = true;
    this.#touch(userId);
  }

  isHere(userId: string): boolean {
    return this.#statusHere(userId) !== 'offline';
  }

  async get(userIds: string[]): Promise<Map<string, PersonPresence>> {
    this.#sayChanges();
    const statuses = await this.#statuses(userIds);
    const absent = userIds.filter((id) => (statuses.get(id) ?? 'offline') === 'offline');
    const found = await readLastSeen(this.#deps.db, absent);
    for (const [id, status] of statuses) if (status !== 'offline') found.set(id, { status, lastSeenAt: null });
    return found;
  }

  async close(): Promise<void> {
    this.#sayChanges();
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const sessions of this.#people.values()) for (const { leaving } of sessions.values()) clearTimeout(leaving);
    for (const stop of this.#stops) stop();
    this.#people.clear();
    const { deadMs, leaveMs } = this.#times;
    if (this.#deps.redis.isUp) await this.#scripts.beat(this.#node, deadMs, deadMs - leaveMs).catch(() => {});
  }

  #drop(userId: string, sessionId: string, session: Session): void {
    const sessions = this.#people.get(userId);
    if (session.sockets > 0 || sessions?.get(sessionId) !== session) return;
    sessions.delete(sessionId);
    if (sessions.size === 0) this.#people.delete(userId);
    this.#touch(userId);
  }

  #touch(userId: string, said?: [string, PresenceStatus]): void {
    if (this.#changed.size === 0) setImmediate(() => this.#sayChanges());
    const all = this.#changed.get(userId) ?? [];
    if (said) all.push(said);
    this.#changed.set(userId, all);
  }

  #sayChanges(): void {
    const changed = this.#changed;
    this.#changed = new Map();
    if (this.#closed) return;
    for (const [userId, said] of changed) void this.#say(userId, said);
  }

  /** What this node holds of a person, and what his sessions said. Never throws. */
  async #say(userId: string, elsewhere: [string, PresenceStatus][] = []): Promise<void> {
    const { redis } = this.#deps;
    if (!redis.isUp) return this.#tellHere(userId);
    const here = [...(this.#people.get(userId) ?? [])];
    const sessions = here.map(([id, { status }]) => [id, status] as const);
    const fresh = here.filter(([, session]) => session.isUnsaid);
    const said = [...elsewhere, ...fresh.map(([id, { status }]) => [id, status] as const)];
    for (const [, session] of fresh) session.isUnsaid = false;
    const people = peopleOf(this.#node);
    try {
      await Promise.all([
        sessions.length > 0 ? redis.commands.sadd(people, userId) : redis.commands.srem(people, userId),
        this.#hold({ userId, node: this.#node, sessions, said, at: new Date().toISOString() }),
      ]);
    } catch {
      for (const [, session] of fresh) session.isUnsaid = true;
      // With Redis away it is said again when it is back; if it only stumbled, soon.
      if (!this.#closed) this.#later(RETRY_MS, () => this.#touch(userId));
    }
  }

  async #hold(held: Held): Promise<void> {
    const { userId, at } = held;
    const { bus } = this.#deps;
    const status = await this.#scripts.hold(held);
    if (status === null) return;
    if (status === 'offline') noteLastSeen(this.#deps, userId, at);
    // It comes back through Redis to nodes where somebody watches him; here it has to be known in any case.
    if (bus.listeners(`p:${userId}`) === 0)
      bus.deliver({ kind: 'presence', userId, status, lastSeenAt: status === 'offline' ? at : null });
  }

  /** Redis is away: those who listen on this node are told what this node knows. */
  #tellHere(userId: string): void {
    const status = this.#statusHere(userId);
    if (status === (this.#told.get(userId) ?? 'offline')) return;
    const lastSeenAt = status === 'offline' ? new Date().toISOString() : null;
    if (lastSeenAt) noteLastSeen(this.#deps, userId, lastSeenAt);
    this.#deps.bus.deliver({ kind: 'presence', userId, status, lastSeenAt });
  }

  #statusHere(userId: string): PresenceStatus {
    return mostPresent([...(this.#people.get(userId)?.values() ?? [])].map(({ status }) => status));
  }

  #note(message: BusMessage): void {
    if (message.kind !== 'presence') return;
    if (message.status === 'offline') this.#told.delete(message.userId);
    else this.#told.set(message.userId, message.status);
  }

  async #statuses(userIds: string[]): Promise<Map<string, PresenceStatus>> {
    const { redis } = this.#deps;
    const known = (id: string) => mostPresent([this.#statusHere(id), this.#told.get(id) ?? 'offline']);
    const answers = redis.isUp ? await this.#ask(userIds) : undefined;
    // Redis may have come back empty: until the others have said again whom they have, its silence means nothing.
    const isSettled = redis.isUp && Date.now() - this.#steadySince >= this.#times.settleMs;
    return new Map(
      userIds.map((id, i) => {
        const answer = answers?.[i];
        if (answer === undefined) return [id, known(id)];
        return [id, isSettled ? answer : mostPresent([answer, known(id)])];
      }),
    );
  }

  /** In the order of the ids; undefined where Redis has nothing to say, or not in time. */
  async #ask(userIds: string[]): Promise<(PresenceStatus | undefined)[] | undefined> {
    const { commands } = this.#deps.redis;
    const asked = userIds.map(async (id): Promise<PresenceStatus | undefined> => {
      try {
        const told = await commands.hget(keyOf(id), 'told');
        return told === 'online' || told === 'away' ? told : 'offline';
      } catch {
        return undefined;
      }
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((done) => (timer = setTimeout(done, ANSWER_MS, undefined)));
    try {
      return await Promise.race([Promise.all(asked), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #beat(): Promise<void> {
    const { redis, log } = this.#deps;
    const { beatMs, deadMs } = this.#times;
    try {
      if (redis.isUp) {
        const { known, dead } = await this.#scripts.beat(this.#node, deadMs);
        const now = Date.now();
        if (now - this.#lastBeat > 3 * beatMs) this.#steadySince = now;
        this.#lastBeat = now;
        this.#beats += 1;
        if (!known) await this.#repeat();
        else if (this.#beats % REPEAT_BEATS === 0) await this.#repeat().then(() => this.#refresh());
        // After a break every node looks dead for a moment.
        if (now - this.#steadySince >= deadMs) for (const [node, at] of dead) await this.#bury(node, at);
      }
    } catch (error) {
      log.debug({ err: error }, 'presence: a heartbeat failed');
    }
    if (!this.#closed) this.#later(beatMs * (0.9 + Math.random() / 5), () => void this.#beat());
  }

  /** Whoever notices does this; when two do, the second finds nothing left to tell. */
  async #bury(node: string, lastBeat: number): Promise<void> {
    const people = await this.#deps.redis.commands.smembers(peopleOf(node));
    this.#deps.log.info({ people: people.length }, 'presence: a node is gone');
    const at = new Date(lastBeat).toISOString();
    await inParts(people, (userId) => this.#hold({ userId, node, sessions: [], said: [], at }));
    await this.#scripts.forgetNode(node);
  }

  async #afterBreak(): Promise<void> {
    this.#steadySince = Date.now();
    await this.#repeat().catch(() => {});
    this.#later(this.#times.settleMs, () => void this.#refresh().catch(() => {}));
  }

  /** Says all that this node holds, and that it holds no more what it held when Redis last heard of it. */
  async #repeat(): Promise<void> {
    const { commands } = this.#deps.redis;
    const heldThen = await commands.smembers(peopleOf(this.#node));
    await inParts([...new Set([...heldThen, ...this.#people.keys()])], (userId) => this.#say(userId));
    await commands.expire(peopleOf(this.#node), 3_600);
  }

  /** Those who watch somebody on this node are told what they should know and do not. */
  async #refresh(): Promise<void> {
    const { bus, db } = this.#deps;
    const watched = bus.listened('p:');
    const wanted = new Set([...watched, ...this.#people.keys()]);
    for (const id of this.#told.keys()) if (!wanted.has(id)) this.#told.delete(id);
    for (let i = 0; i < watched.length; i += AT_ONCE) {
      const statuses = await this.#statuses(watched.slice(i, i + AT_ONCE));
      const news = [...statuses].filter(([id, status]) => status !== (this.#told.get(id) ?? 'offline'));
      const gone = news.flatMap(([id, status]) => (status === 'offline' ? [id] : []));
      const seen = await readLastSeen(db, gone);
      for (const [userId, status] of news)
        bus.deliver({ kind: 'presence', userId, status, lastSeenAt: seen.get(userId)?.lastSeenAt ?? null });
    }
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#closed) work();
    }, ms).unref();
    this.#timers.add(timer);
  }
}

const newSession = (): Session => ({ sockets: 0, status: 'online', isUnsaid: false, leaving: undefined });

async function inParts<T>(all: T[], work: (one: T) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < all.length; i += AT_ONCE) await Promise.all(all.slice(i, i + AT_ONCE).map(work));
}
