/**
 * Gives the events of a conversation in the order of their versions, though they come from several nodes: what is ahead
 * of its turn waits a moment for what is still on its way, and what comes a second time is dropped.
 */
import type { BusMessage } from './bus.ts';

export type Events = Extract<BusMessage, { kind: 'events' }>;

/** The way through Redis takes a few milliseconds. What takes longer was lost, and the feed's next round finds it. */
const HOLD_MS = 150;
/** Versions passed over that may still come. Beyond it is forgotten what came, and something may come twice. */
const MAX_SKIPPED = 512;

interface Place {
  /** One more than the greatest version given. */
  next: number;
  /** Below this nothing is known. */
  floor: number;
  /** From `floor` to `next`: what was not given. */
  readonly skipped: Set<number>;
  held: Events[];
  timer: NodeJS.Timeout | undefined;
}

const first = ({ events }: Events) => Math.min(...events.map(({ version }) => version));
const last = ({ events }: Events) => Math.max(...events.map(({ version }) => version));

export class InOrder {
  readonly #places = new Map<string, Place>();
  readonly #give: (message: Events) => void;

  constructor(give: (message: Events) => void) {
    this.#give = give;
  }

  /** Given now, in its turn, or, when it was given before, not at all. */
  take(message: Events): void {
    const place = this.#places.get(message.conversationId);
    if (!place) return this.force(message);
    if (isKnown(place, message)) return;
    if (first(message) <= place.next) {
      this.force(message);
      return this.#release(place);
    }
    // Nearly always the last one already.
    let at = place.held.length;
    while (at > 0 && first(place.held[at - 1] ?? message) > first(message)) at--;
    place.held.splice(at, 0, message);
    place.timer ??= setTimeout(() => this.#giveUp(place), HOLD_MS).unref();
  }

  /** Given now, whatever is missing before it. */
  force(message: Events): void {
    this.begin(message);
    this.#give(message);
  }

  /** It has been given already: what follows it is known from here on. */
  begin(message: Events): void {
    const { conversationId } = message;
    const place = this.#places.get(conversationId) ?? this.#open(conversationId, first(message));
    note(place, message);
  }

  /** The next one is this, unless one was heard already. */
  expect(conversationId: string, version: number): void {
    if (!this.#places.has(conversationId)) this.#open(conversationId, version);
  }

  /** Nobody listens to it any more. */
  forget(conversationId: string): void {
    clearTimeout(this.#places.get(conversationId)?.timer);
    this.#places.delete(conversationId);
  }

  clear(): void {
    for (const id of this.#places.keys()) this.forget(id);
  }

  #open(conversationId: string, next: number): Place {
    const place: Place = { next, floor: next, skipped: new Set(), held: [], timer: undefined };
    this.#places.set(conversationId, place);
    return place;
  }

  #release(place: Place): void {
    while (place.held[0] && first(place.held[0]) <= place.next) {
      const message = place.held.shift();
      if (message && !isKnown(place, message)) this.force(message);
    }
    if (place.held.length > 0) return;
    clearTimeout(place.timer);
    place.timer = undefined;
  }

  #giveUp(place: Place): void {
    place.timer = undefined;
    for (const message of place.held.splice(0)) if (!isKnown(place, message)) this.force(message);
  }
}

function isKnown({ next, floor, skipped }: Place, { events }: Events): boolean {
  return events.every(({ version }) => version >= floor && version < next && !skipped.has(version));
}

function note(place: Place, message: Events): void {
  const end = last(message);
  for (const { version } of message.events) place.skipped.delete(version);
  if (end < place.next) return;
  const given = new Set(message.events.map(({ version }) => version));
  if (end - place.next + place.skipped.size > MAX_SKIPPED) {
    place.skipped.clear();
    place.floor = end;
  } else for (let v = place.next; v < end; v++) if (!given.has(v)) place.skipped.add(v);
  place.next = end + 1;
}
