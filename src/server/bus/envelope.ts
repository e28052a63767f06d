/** How messages look on their way through Redis: several at once, with the node they come from. */
import type { BusMessage } from './bus.ts';

const PREFIX = 'parley:';
/** All nodes hear it: what goes to several channels goes once to everybody, and each node finds its listeners. */
export const EVERYBODY = 'all';

/** A channel of the bus as Redis knows it. */
export const redisChannel = (channel: string): string => PREFIX + channel;

/** @param messages each as JSON */
export const seal = (from: string, messages: readonly string[]): string =>
  `{"from":"${from}","messages":[${messages.join()}]}`;

/** What was sealed; undefined for anything else that somebody wrote to the channel. */
export function open(text: string): { from: string; messages: BusMessage[] } | undefined {
  try {
    const read: unknown = JSON.parse(text);
    if (!isRecord(read) || typeof read.from !== 'string' || !Array.isArray(read.messages)) return undefined;
    return { from: read.from, messages: read.messages.filter(isMessage) };
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isText = (value: unknown) => typeof value === 'string';

/** As much as it takes to find the listeners. Nodes trust each other beyond that, and a listener that throws is logged. */
const LOOKS: Record<BusMessage['kind'], (message: Record<string, unknown>) => boolean> = {
  events: ({ conversationId, events }) =>
    isText(conversationId) && Array.isArray(events) && events.length > 0 && events.every(isStamped),
  receipts: ({ conversationId, moved }) => isText(conversationId) && Array.isArray(moved) && moved.every(isMoved),
  typing: ({ conversationId, signal }) => isText(conversationId) && isRecord(signal),
  presence: ({ userId, status }) => isText(userId) && isText(status),
  privacy: ({ userId, privacy }) => isText(userId) && isRecord(privacy),
  revoked: ({ sessionIds }) => Array.isArray(sessionIds) && sessionIds.every(isText),
};

const isStamped = (value: unknown) =>
  isRecord(value) && Number.isSafeInteger(value.version) && isRecord(value.event) && isText(value.event.type);

const isMoved = (value: unknown) => isRecord(value) && isText(value.userId);

function isMessage(value: unknown): value is BusMessage {
  if (!isRecord(value) || typeof value.kind !== 'string') return false;
  // A node of a newer version may say what this one does not know.
  return Object.hasOwn(LOOKS, value.kind) && LOOKS[value.kind as BusMessage['kind']](value);
}
