/** Presence of a single node, in memory. Only the time of leaving is written down, for "last seen". */
import type { PresenceStatus } from '#protocol/signal';
import type { Bus } from '../bus/bus.ts';
import type { Db } from '../db/client.ts';
import type { Logger } from '../observe/log.ts';
import { noteLastSeen, readLastSeen } from './last-seen.ts';
import { GRACE_MS, mostPresent, type PersonPresence, type Presence } from './presence.ts';

interface Person {
  /** Open sockets per session, and what the session says of itself. */
  readonly sessions: Map<string, { sockets: number; status: PresenceStatus }>;
  told: PresenceStatus;
  leaving: NodeJS.Timeout | undefined;
}

interface Options {
  readonly bus: Bus;
  readonly db: Db;
  readonly log: Logger;
  readonly graceMs?: number;
}

export function createMemoryPresence({ bus, db, log, graceMs = GRACE_MS }: Options): Presence {
  const people = new Map<string, Person>();

  const statusOf = (person: Person) =>
    mostPresent([...person.sessions.values()].filter(({ sockets }) => sockets > 0).map(({ status }) => status));

  const tell = (userId: string, person: Person) => {
    const status = statusOf(person);
    if (status === person.told) return;
    person.told = status;
    const lastSeenAt = status === 'offline' ? new Date().toISOString() : null;
    if (lastSeenAt) noteLastSeen({ db, log }, userId, lastSeenAt);
    bus.publish({ kind: 'presence', userId, status, lastSeenAt });
  };

  const personOf = (userId: string) => {
    const person = people.get(userId) ?? { sessions: new Map(), told: 'offline', leaving: undefined };
    people.set(userId, person);
    return person;
  };

  const forgetIfGone = (userId: string, person: Person) => {
    tell(userId, person);
    if (person.told === 'offline' && ![...person.sessions.values()].some(({ sockets }) => sockets > 0))
      people.delete(userId);
  };

  return {
    connect(userId, sessionId) {
      const person = personOf(userId);
      clearTimeout(person.leaving);
      const session = person.sessions.get(sessionId) ?? { sockets: 0, status: 'online' };
      session.sockets += 1;
      person.sessions.set(sessionId, session);
      tell(userId, person);
      let open = true;
      return () => {
        if (!open) return;
        open = false;
        session.sockets -= 1;
        clearTimeout(person.leaving);
        person.leaving = setTimeout(() => forgetIfGone(userId, person), graceMs);
        person.leaving.unref();
      };
    },
    set(userId, sessionId, status) {
      const person = people.get(userId);
      const session = person?.sessions.get(sessionId);
      // Without a socket there is nothing to be present with.
      if (!person || !session) return;
      session.status = status;
      tell(userId, person);
    },
    isHere: (userId) => (people.get(userId)?.told ?? 'offline') !== 'offline',
    async get(userIds) {
      const found = new Map<string, PersonPresence>();
      const absent: string[] = [];
      for (const id of userIds) {
        const status = people.get(id)?.told ?? 'offline';
        if (status === 'offline') absent.push(id);
        else found.set(id, { status, lastSeenAt: null });
      }
      for (const [id, last] of await readLastSeen(db, absent)) found.set(id, last);
      return found;
    },
    async close() {
      for (const person of people.values()) clearTimeout(person.leaving);
      people.clear();
    },
  };
}
