/**
 * A bus that publishes together what is said of messages in one tick: those of one flight of the writer reach everybody in a
 * conversation as one hint, and go out to each socket as one. What many hear also waits a moment for what is being written
 * behind it: to write to each of a thousand sockets takes longer than a flight, and hardly longer for two messages than for
 * one. Whatever else is published comes after what was gathered.
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
    const events = gathered.get(conversationId);
    if (events) events.push(...told);
    else gathered.set(conversationId, [...told]);
    for (const { event } of told) characters += event.message.contentEncrypted.length;
  }

  function flush(waits: (conversationId: string) => boolean = () => false): void {
    const all = gathered;
    gathered = new Map();
    characters = 0;
    for (const [conversationId, events] of all) {
      if (waits(conversationId)) gather(conversationId, events);
      else bus.publish({ kind: 'events', conversationId, events });
    }
    if (gathered.size > 0) return void (hold ??= setTimeout(flush, HOLD_MS));
    clearTimeout(hold);
    hold = undefined;
  }

  const waits = (conversationId: string) => bus.listeners(`c:${conversationId}`) >= MANY && isFollowed(conversationId);

  function endTick(): void {
    isTickNoted = false;
    flush(waits);
  }

  return {
    ...bus,
    publish(message) {
      if (!isOfMessages(message)) {
        flush();
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
