/** The queues by name, what their jobs carry, and how often and how long. Jobs hold ids and nothing else (P29). */
import { z } from 'zod';
import { Id } from '#protocol/ids';

/** Telling a person of what he has not got, in one conversation, outside of the page. */
export const MessageDelivery = z.strictObject({ userId: Id, conversationId: Id });
export type MessageDelivery = z.infer<typeof MessageDelivery>;
/** Seeing to it that a person who came back gets what waited for him. */
export const OfflineMessages = z.strictObject({ userId: Id });
export type OfflineMessages = z.infer<typeof OfflineMessages>;
/** Looking for what got lost, or is left over; the name of the job says for what. */
export const Maintenance = z.strictObject({});

export const QUEUES = {
  'message-delivery': { schema: MessageDelivery, attempts: 3, concurrency: 10 },
  'offline-messages': { schema: OfflineMessages, attempts: 5, concurrency: 10 },
  maintenance: { schema: Maintenance, attempts: 1, concurrency: 1 },
} as const;
export type QueueName = keyof typeof QUEUES;
export const QUEUE_NAMES = Object.keys(QUEUES) as QueueName[];

/** Milliseconds. Only tests choose other ones. */
export const TIMING = {
  /** Exponential from here: 2 s, 4 s, 8 s ... */
  backoff: 2_000,
  /** Messages are collected for so long before anybody looks who is away: a burst is one look. */
  gather: 100,
  /** A device on its way back needs a moment before anything can be said about it. */
  welcome: 1_000,
  /** Between two looks for lost jobs, once for the whole system. */
  sweep: 30_000,
  /** Between two looks for files that nobody needs. */
  sweepFiles: 60_000,
  /** Younger messages are not lost: their job may be on its way. */
  settle: 10_000,
  /** Older ones are not run after any more. */
  giveUp: 24 * 60 * 60_000,
  /** Between the last attempt of a failed job and a new one for the same person and conversation. */
  pause: 5 * 60_000,
  /** For one push, from the first packet to the last. */
  push: 5_000,
  /** A worker that dies is noticed when its lock has run out and somebody looks: within 45 s. */
  lock: 30_000,
  stalled: 15_000,
} as const;
export type Timing = { readonly [K in keyof typeof TIMING]: number };

/** Finished jobs stay for a while, so that an operator sees the attempts: an hour, failed ones a day, a thousand of each. */
export const jobOptions = (queue: QueueName, timing: Timing) => ({
  attempts: QUEUES[queue].attempts,
  backoff: { type: 'exponential', delay: timing.backoff },
  removeOnComplete: { age: 60 * 60, count: 1_000 },
  removeOnFail: { age: 24 * 60 * 60, count: 1_000 },
  stackTraceLimit: 1,
});

/**
 * One waiting job per person and conversation, however many messages come. What comes while the job runs makes one more
 * job afterwards: the running one may have looked already.
 */
export const deduplication = (...key: string[]) => ({ id: key.join('/'), keepLastIfActive: true });
