/**
 * A bus that publishes together what is said of messages in one tick: those of one flight of the writer reach everybody in a
 * conversation as one hint, and go out to each socket as one. What many hear also waits a moment for what is being written
 * behind it: to write to each of a thousand sockets takes longer than a flight, and hardly longer for two messages than for
 * one. Whatever else is published of a conversation comes after what was gathered of it.
 */
import type { FeedEvent } from '#protocol/event';
import type { Bus, BusMessage } from './bus.ts';

/** Of contents. What is more goes in several: other nodes hear of it in one text each. */
const MOST_CHARACTERS = 256 * 1024;
/** From so many listening people on, telling them takes about as long as a flight of the writer. */
const MANY = 100;
/** About two flights. */
const HOLD_MS = 5;

/** @param isFollowed whether another message of the conversation is being written */
export function gathering(bus: Bus, isFollowed: (conversationId: string) => boolean): Bus {
  // Anew each time: a map that is emptied goes on pointing to what it held, which then outlives the young generation.
  let gathered = new Map<string, Told[]>();
  let characters = 0;
  let isTickNoted = false;
  let hold: NodeJS.Timeout | undefined;

  function gather(conversationId: string, told: readonly Told[]): void {
    const before = gathered.get(conversationId)?.at(-1);
    // Another node's may lie between: the versions of a hint follow each other, so that it has one place among the others.
    if (before && told[0]?.version !== before.version + 1) tell(conversationId);
    const events = gathered.get(conversationId);
    if (events) events.push(...told);
    else gathered.set(conversationId, [...told]);
    for (const { event } of told) characters += event.message.contentEncrypted.length;
  }

  function tell(conversationId: string): void {
    const events = gathered.get(conversationId);
    if (!events) return;
    gathered.delete(conversationId);
    if (gathered.size === 0) characters = 0;
    bus.publish({ kind: 'events', conversationId, events });
  }

  function flush(): void {
    clearTimeout(hold);
    hold = undefined;
    const all = gathered;
    gathered = new Map();
    characters = 0;
    for (const [conversationId, events] of all) bus.publish({ kind: 'events', conversationId, events });
  }

  const mayWait = (conversationId: string) =>
    isFollowed(conversationId) && bus.listeners(`c:${conversationId}`) >= MANY;

  function endTick(): void {
    isTickNoted = false;
    const all = [...gathered.keys()];
    const held = new Set(all.filter(mayWait));
    if (held.size === 0) return flush();
    for (const conversationId of all) if (!held.has(conversationId)) tell(conversationId);
    hold ??= setTimeout(flush, HOLD_MS);
  }

  return {
    ...bus,
    publish(message) {
      if (!isOfMessages(message)) {
        if ('conversationId' in message) tell(message.conversationId);
        // Who is online has no place among messages.
        else if (message.kind !== 'presence') flush();
        return bus.publish(message);
      }
      if (!isTickNoted) {
        isTickNoted = true;
        queueMicrotask(endTick);
      }
      gather(message.conversationId, message.events);
      if (characters > MOST_CHARACTERS) flush();
    },
    close() {
      flush();
      return bus.close();
    },
  };
}

interface Told {
  readonly version: number;
  readonly event: Extract<FeedEvent, { type: 'message' }>;
}

type OfMessages = Extract<BusMessage, { kind: 'events' }> & { readonly events: readonly Told[] };

const isOfMessages = (message: BusMessage): message is OfMessages =>
  message.kind === 'events' && message.events.every(({ event }) => event.type === 'message');
