/** What travels between the nodes of one system. A message on the bus is a hint: losing one costs time, never data. */
import type { FeedEvent } from '#protocol/event';
import type { PresenceStatus, TypingSignal } from '#protocol/signal';
import type { Privacy } from '#protocol/user';

/** A durable change with the conversation's version that it took; the version makes repeats harmless. */
export interface StampedEvent {
  readonly version: number;
  readonly event: FeedEvent;
}

/** Somebody has come further. `shown` is how far others know him to have read; null when nothing has moved for them. */
export interface Moved {
  readonly userId: string;
  readonly delivered: number;
  readonly read: number;
  readonly shown: number | null;
}

export type BusMessage =
  /** Committed changes of one conversation, in order. */
  | { readonly kind: 'events'; readonly conversationId: string; readonly events: readonly StampedEvent[] }
  /** How far people have come in one conversation. */
  | {
      readonly kind: 'receipts';
      readonly conversationId: string;
      readonly at: string;
      readonly moved: readonly Moved[];
    }
  | { readonly kind: 'typing'; readonly conversationId: string; readonly signal: TypingSignal }
  | {
      readonly kind: 'presence';
      readonly userId: string;
      readonly status: PresenceStatus;
      readonly lastSeenAt: string | null;
    }
  /** Somebody shows more or less of himself from now on. */
  | { readonly kind: 'privacy'; readonly userId: string; readonly privacy: Privacy }
  /** Sockets of these sessions are closed at once, and their access tokens refused. */
  | { readonly kind: 'revoked'; readonly sessionIds: readonly string[] };

export type BusHandler = (message: BusMessage) => void;

export interface Bus {
  /** Whether there may be other nodes, whose messages can be lost on the way. */
  readonly isShared: boolean;
  /** To whoever listens, on any node. Never throws and never waits: delivery is best effort. */
  publish(message: BusMessage): void;
  /** To whoever listens on this node: what a node found out by itself, each finds out by itself. */
  deliver(message: BusMessage): void;
  /** Channels: `c:<conversation>`, `p:<user>` (presence), `u:<user>` (membership, privacy), `sessions`. Returns the way out. */
  subscribe(channel: string, handler: BusHandler): () => void;
  /** The same way out for whoever keeps many of them: the handler that was given, and no closure for each. */
  unsubscribe(channel: string, handler: BusHandler): void;
  /** What is heard of this conversation follows this version of it: known from the database, by who has begun to listen. */
  begin(conversationId: string, version: number): void;
  /** Sees every message this node delivers, once, before its channels do. */
  observe(handler: BusHandler): () => void;
  /** How many on this node listen to the channel. */
  listeners(channel: string): number;
  /** The channels with this prefix that somebody on this node listens to, without the prefix. */
  listened(prefix: string): string[];
  /**
   * Resolves once what any node publishes from now on reaches all who listen by now. Bounded: with the way to the other
   * nodes broken it resolves as well, and the feed's rounds find what was missed.
   */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** The channels a message belongs on. Membership changes also reach the person they are about. */
export function channelsOf(message: BusMessage): string[] {
  switch (message.kind) {
    case 'events': {
      const people = message.events.flatMap(({ event }) => (event.type === 'participant' ? [`u:${event.userId}`] : []));
      // People first: who is removed leaves the conversation's channel before it hears the rest, who comes joins it in time.
      return [...people, `c:${message.conversationId}`];
    }
    case 'receipts':
    case 'typing':
      return [`c:${message.conversationId}`];
    case 'presence':
      return [`p:${message.userId}`];
    case 'privacy':
      return [`u:${message.userId}`, `p:${message.userId}`];
    case 'revoked':
      return ['sessions'];
  }
}
