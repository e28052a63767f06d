/**
 * Which conversations each connected person is in, kept current by the membership events themselves, so that a
 * subscription hears all of them and a removed person hears nothing more (P22).
 */
import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import { Together } from '#lib/together';
import type { Bus, BusHandler, BusMessage } from '../bus/bus.ts';
import type { Db } from '../db/client.ts';
import type { Privacy } from '#protocol/user';
import { conversationParticipants, conversations, users } from '../db/tables.ts';
import { privacyColumns } from '../domain/privacy.ts';

const isBehind = sql<boolean | null>`${conversations.lastSeq} >
  greatest(${conversationParticipants.deliveredSeq}, ${conversationParticipants.visibleFromSeq})`;

interface Person {
  /** Another list after each change: whoever goes through one is not disturbed. */
  listeners: readonly BusHandler[];
  /** The same on the channels of all his conversations: a delivery goes through it, and thousands of people have thousands of conversations. */
  readonly ear: BusHandler;
  readonly joined: Set<string>;
  readonly leaveOwn: () => void;
  /** What events said of memberships while the list was being read: they are newer than the list. */
  readonly told: Map<string, boolean>;
  /** Undefined until it is known. */
  privacy: Privacy | undefined;
  reading?: Promise<void> | undefined;
  /** What ends a membership is heard from here on. */
  isCurrent: boolean;
  /** Archived meanwhile. */
  archived?: Set<string>;
  /** Settles when the conversations of the person are known and listened to. */
  ready: Promise<void>;
}

export class Audience {
  readonly #bus: Bus;
  readonly #db: Db;
  readonly #onBehind: (userId: string) => void;
  readonly #people = new Map<string, Person>();
  readonly #memberships: Together<string, Membership[]>;

  /** @param onBehind called when somebody begins to listen who has not got everything yet; it costs no question of its own. */
  constructor(bus: Bus, db: Db, onBehind: (userId: string) => void) {
    this.#bus = bus;
    this.#db = db;
    this.#onBehind = onBehind;
    this.#memberships = new Together((userIds) => membershipsOf(db, userIds));
    bus.observe((message) => this.#noteArchived(message));
  }

  /**
   * Calls `listener` with everything published in the person's conversations from the moment the promise resolves;
   * what was committed before that moment is visible to any query started afterwards.
   */
  async listen(userId: string, listener: BusHandler): Promise<() => void> {
    const person = this.#people.get(userId) ?? this.#enter(userId);
    person.listeners = [...person.listeners, listener];
    const stop = () => {
      person.listeners = person.listeners.filter((one) => one !== listener);
      if (person.listeners.length === 0) this.#leave(userId, person);
    };
    try {
      await person.ready;
      await this.#bus.settled();
      person.isCurrent = true;
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  /** What a connected person shows of himself; undefined for everybody else. */
  privacyOf(userId: string): Privacy | undefined {
    return this.#people.get(userId)?.privacy;
  }

  /**
   * Whether a connected person is known to be in this conversation, and it is not archived. False: ask the database. A
   * membership that ended is forgotten when its event comes; where the bus has lost it, with the next round of the hub.
   */
  isIn(userId: string, conversationId: string): boolean {
    const person = this.#people.get(userId);
    return person?.isCurrent === true && person.joined.has(conversationId) && !person.archived?.has(conversationId);
  }

  #noteArchived(message: BusMessage): void {
    if (message.kind !== 'events') return;
    const { conversationId, events } = message;
    if (!events.some(({ event }) => event.type === 'conversation' && !event.conversation.isActive)) return;
    // Who is just beginning may have read that it is active.
    for (const person of this.#people.values())
      if (!person.isCurrent || person.joined.has(conversationId)) (person.archived ??= new Set()).add(conversationId);
  }

  #enter(userId: string): Person {
    // Listening to what concerns the person comes first: a membership made while the list is read is not missed.
    const leaveOwn = this.#bus.subscribe(`u:${userId}`, (message) => this.#onOwn(userId, message));
    const person: Person = {
      listeners: [],
      ear: (message) => {
        for (const listener of person.listeners) listener(message);
      },
      joined: new Set(),
      leaveOwn,
      told: new Map(),
      privacy: undefined,
      isCurrent: false,
      ready: Promise.resolve(),
    };
    person.ready = this.#load(userId, person);
    this.#people.set(userId, person);
    return person;
  }

  async #load(userId: string, person: Person): Promise<void> {
    const rows = await this.#memberships.ask(userId);
    person.privacy ??= rows[0]?.privacy;
    if (rows.some((row) => row.isBehind)) this.#onBehind(userId);
    for (const { id, version } of rows) {
      if (id === null || person.told.get(id) === false) continue;
      this.#join(person, id);
      this.#bus.begin(id, version ?? 0);
    }
  }

  #join({ joined, ear }: Person, conversationId: string): void {
    if (joined.has(conversationId)) return;
    joined.add(conversationId);
    this.#bus.subscribe(`c:${conversationId}`, ear);
  }

  /** Runs for the copy of a message that is addressed to this person: who arrives joins, who is removed hears it and leaves. */
  #onOwn(userId: string, message: BusMessage): void {
    const person = this.#people.get(userId);
    if (!person) return;
    if (message.kind === 'privacy') {
      person.privacy = message.privacy;
      person.ear(message);
    }
    if (message.kind !== 'events') return;
    const { conversationId, events } = message;
    const own = events.findLast(({ event }) => event.type === 'participant' && event.userId === userId);
    if (own?.event.type !== 'participant') return;
    person.told.set(conversationId, !own.event.removed);
    if (this.#bus.isShared) this.#readPrivacy(userId, person);
    if (!own.event.removed) return this.#join(person, conversationId);
    if (person.joined.delete(conversationId)) this.#bus.unsubscribe(`c:${conversationId}`, person.ear);
    person.ear({ ...message, events: [own] });
  }

  /** A choice of privacy stamps the memberships: where the bus has lost its word, the rounds bring these. */
  #readPrivacy(userId: string, person: Person): void {
    person.reading ??= this.#db
      .select(privacyColumns)
      .from(users)
      .where(eq(users.id, userId))
      .then(([privacy]) => {
        if (privacy) person.privacy = privacy;
      })
      // With the database away there are no new memberships either; the next one asks again.
      .catch(() => {})
      .finally(() => {
        person.reading = undefined;
      });
  }

  #leave(userId: string, person: Person): void {
    if (this.#people.get(userId) !== person) return;
    this.#people.delete(userId);
    person.leaveOwn();
    for (const id of person.joined) this.#bus.unsubscribe(`c:${id}`, person.ear);
  }
}

type Membership = Awaited<ReturnType<typeof readMemberships>>[number];

/** Conversations with their versions, and with each what the person shows of himself; one row without a conversation for who is in none. */
async function membershipsOf(db: Db, userIds: string[]): Promise<Map<string, Membership[]>> {
  const found = new Map<string, Membership[]>(userIds.map((id) => [id, []]));
  for (const row of await readMemberships(db, userIds)) found.get(row.userId)?.push(row);
  return found;
}

function readMemberships(db: Db, userIds: string[]) {
  const theirs = and(eq(conversationParticipants.userId, users.id), isNull(conversationParticipants.leftAt));
  return db
    .select({
      userId: users.id,
      id: conversations.id,
      version: conversations.version,
      isBehind,
      privacy: privacyColumns,
    })
    .from(users)
    .leftJoin(conversationParticipants, theirs)
    .leftJoin(
      conversations,
      and(eq(conversations.id, conversationParticipants.conversationId), eq(conversations.isActive, true)),
    )
    .where(inArray(users.id, userIds));
}
