/**
 * Which conversations each connected person is in, kept current by the membership events themselves, so that a
 * subscription hears all of them and a removed person hears nothing more (P22).
 */
import { and, eq, isNull } from 'drizzle-orm';
import type { Bus, BusMessage } from '../bus/bus.ts';
import type { Db } from '../db/client.ts';
import { conversationParticipants, conversations } from '../db/tables.ts';

export type Listener = (message: BusMessage) => void;

interface Person {
  readonly listeners: Set<Listener>;
  /** Conversation -> way out of its channel. */
  readonly joined: Map<string, () => void>;
  readonly leaveOwn: () => void;
  /** What events said of memberships while the list was being read: they are newer than the list. */
  readonly told: Map<string, boolean>;
  /** Settles when the conversations of the person are known and listened to. */
  readonly ready: Promise<void>;
}

export class Audience {
  readonly #bus: Bus;
  readonly #db: Db;
  readonly #people = new Map<string, Person>();

  constructor(bus: Bus, db: Db) {
    this.#bus = bus;
    this.#db = db;
  }

  /**
   * Calls `listener` with everything published in the person's conversations from the moment the promise resolves;
   * what was committed before that moment is visible to any query started afterwards.
   */
  async listen(userId: string, listener: Listener): Promise<() => void> {
    const person = this.#people.get(userId) ?? this.#enter(userId);
    person.listeners.add(listener);
    const stop = () => {
      person.listeners.delete(listener);
      if (person.listeners.size === 0) this.#leave(userId, person);
    };
    try {
      await person.ready;
    } catch (error) {
      stop();
      throw error;
    }
    return stop;
  }

  #enter(userId: string): Person {
    const joined = new Map<string, () => void>();
    const listeners = new Set<Listener>();
    // Listening to what concerns the person comes first: a membership made while the list is read is not missed.
    const leaveOwn = this.#bus.subscribe(`u:${userId}`, (message) => this.#onMembership(userId, message));
    const told = new Map<string, boolean>();
    const ready = this.#load(userId, { joined, listeners, told });
    const person: Person = { listeners, joined, leaveOwn, told, ready };
    this.#people.set(userId, person);
    return person;
  }

  async #load(userId: string, { joined, listeners, told }: Pick<Person, 'joined' | 'listeners' | 'told'>) {
    const rows = await this.#db
      .select({ id: conversationParticipants.conversationId })
      .from(conversationParticipants)
      .innerJoin(conversations, eq(conversations.id, conversationParticipants.conversationId))
      .where(
        and(
          eq(conversationParticipants.userId, userId),
          isNull(conversationParticipants.leftAt),
          eq(conversations.isActive, true),
        ),
      );
    for (const { id } of rows) if (told.get(id) !== false) this.#join(joined, id, listeners);
  }

  #join(joined: Person['joined'], conversationId: string, listeners: Set<Listener>): void {
    if (joined.has(conversationId)) return;
    const out = this.#bus.subscribe(`c:${conversationId}`, (message) => {
      for (const listener of listeners) listener(message);
    });
    joined.set(conversationId, out);
  }

  /** Runs for the copy of a message that is addressed to this person: who arrives joins, who is removed hears it and leaves. */
  #onMembership(userId: string, message: BusMessage): void {
    if (message.kind !== 'events') return;
    const person = this.#people.get(userId);
    if (!person) return;
    const { conversationId, events } = message;
    const own = events.findLast(({ event }) => event.type === 'participant' && event.userId === userId);
    if (own?.event.type !== 'participant') return;
    person.told.set(conversationId, !own.event.removed);
    if (!own.event.removed) return this.#join(person.joined, conversationId, person.listeners);
    person.joined.get(conversationId)?.();
    person.joined.delete(conversationId);
    for (const listener of person.listeners) listener({ ...message, events: [own] });
  }

  #leave(userId: string, person: Person): void {
    if (this.#people.get(userId) !== person) return;
    this.#people.delete(userId);
    person.leaveOwn();
    for (const out of person.joined.values()) out();
  }
}
