/**
 * Notices who is away when a message is committed, who goes, and who comes back, and adds the jobs. All of it happens
 * beside the calls that cause it: nothing here throws or waits on them, and what is lost here the sweep finds (P19).
 */
import type { Queue } from 'bullmq';
import type { Sql } from '../db/client.ts';
import type { Bus } from '../bus/bus.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Presence } from '../presence/presence.ts';
import { type Behind, findBehind } from './behind.ts';
import { Gatherer } from './gatherer.ts';
import { Members } from './members.ts';
import { deduplication, type MessageDelivery, type QueueName, type Timing } from './queues.ts';

/** In one round trip to the store. */
const CHUNK = 500;
/**
 * From so many people behind in one conversation on, those who have no device to be told on get a job once per absence
 * and not with each message: there is nothing it could do.
 */
const CROWD = 100;

interface Parts {
  readonly sql: Sql;
  readonly bus: Bus;
  readonly presence: Presence;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export class Offline {
  readonly #parts: Parts;
  #running:
    | { queues: Readonly<Record<QueueName, Queue>>; timing: Timing; gatherers: Gatherers; stop(): void }
    | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A message was committed. */
  note(conversationId: string): void {
    this.#running?.gatherers.conversations.add(conversationId);
  }

  /** This person begins to follow his feed, and has not got everything yet. */
  returned(userId: string): void {
    this.#running?.gatherers.returned.add(userId);
  }

  /** This person's last socket is gone. */
  left(userId: string): void {
    this.#running?.gatherers.left.add(userId);
  }

  /** Until now nothing was noticed: the store was not open. */
  start(queues: Readonly<Record<QueueName, Queue>>, timing: Timing): void {
    const { sql, bus, log } = this.#parts;
    const members = new Members(sql, bus);
    const gatherers: Gatherers = {
      conversations: new Gatherer((ids) => this.#lookAround(members, ids), timing.gather, log),
      left: new Gatherer((ids) => this.#deliver('user_id', ids), timing.gather, log),
      // At once: his devices take what waited within a moment, and then there is nothing to see any more.
      returned: new Gatherer((ids) => this.#welcome(ids), 0, log),
    };
    const unobserve = bus.observe((message) => {
      if (message.kind === 'presence' && message.status === 'offline') this.left(message.userId);
    });
    const stop = () => {
      unobserve();
      members.close();
    };
    this.#running = { queues, timing, gatherers, stop };
  }

  /** Adds what was noticed, and notices no more. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (!running) return;
    running.stop();
    const { conversations, left, returned } = running.gatherers;
    await Promise.all([conversations, left, returned].map((gatherer) => gatherer.close()));
    this.#running = undefined;
  }

  /** Where everybody is here, as in most rooms that are talked in, nothing is asked. */
  async #lookAround(members: Members, conversationIds: string[]): Promise<void> {
    const { presence } = this.#parts;
    const ids = await members.notAllOf(conversationIds, (userId) => presence.isHere(userId));
    if (ids.length > 0) await this.#deliver('conversation_id', ids);
  }

  async #deliver(column: 'conversation_id' | 'user_id', ids: string[]): Promise<void> {
    const behind = await findBehind(this.#parts.sql, { column, ids });
    await this.addDeliveries(await this.absent(behind.map(thinned)));
  }

  /** Of these, the ones who have no live socket on any node. */
  async absent(behind: readonly Behind[]): Promise<Absent[]> {
    const people = behind.flatMap(({ conversationId, lastMessageAt, worthTelling, others }) =>
      [...worthTelling, ...others].map((userId) => ({ userId, conversationId, lastMessageAt })),
    );
    if (people.length === 0) return [];
    const present = await this.#parts.presence.get([...new Set(people.map(({ userId }) => userId))]);
    return people.filter(({ userId }) => (present.get(userId)?.status ?? 'offline') === 'offline');
  }

  /**
   * Who has a job waiting keeps it. The store is asked each time: only it knows whether a job is still there, and jobs
   * end in many ways. @throws when the store is away
   */
  async addDeliveries(deliveries: readonly MessageDelivery[]): Promise<void> {
    await this.#add(
      'message-delivery',
      deliveries.map(({ userId, conversationId }) => ({
        name: 'deliver',
        data: { userId, conversationId },
        opts: { deduplication: deduplication(userId, conversationId) },
      })),
    );
  }

  async #welcome(userIds: string[]): Promise<void> {
    const delay = this.#running?.timing.welcome ?? 0;
    await this.#add(
      'offline-messages',
      userIds.map((userId) => ({
        name: 'welcome',
        data: { userId },
        opts: { delay, deduplication: deduplication(userId) },
      })),
    );
  }

  async #add(queue: QueueName, jobs: { name: string; data: object; opts: object }[]): Promise<void> {
    const { metrics } = this.#parts;
    for (let from = 0; from < jobs.length; from += CHUNK) {
      const chunk = jobs.slice(from, from + CHUNK);
      try {
        if (!this.#running) throw new Error('the store of the jobs is not open');
        await this.#running.queues[queue].addBulk(chunk);
      } catch (error) {
        metrics.jobsDropped.inc({ queue }, jobs.length - from);
        throw error;
      }
    }
  }
}

interface Gatherers {
  readonly conversations: Gatherer;
  readonly left: Gatherer;
  readonly returned: Gatherer;
}

interface Absent extends MessageDelivery {
  readonly lastMessageAt: number;
}

function thinned(one: Behind): Behind {
  const isCrowd = one.worthTelling.length + one.others.length >= CROWD;
  return isCrowd ? { ...one, others: [] } : one;
}
