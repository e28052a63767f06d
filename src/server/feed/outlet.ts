/** The way out of one subscription: what waits in it is bounded in bytes, and who does not read is cut (P16). */
import { CLOSE } from '#protocol/close-codes';
import type { FeedEvent } from '#protocol/event';
import type { Connection } from '../context.ts';
import type { Line } from './line.ts';
import { StoredMessage } from './stored-message.ts';

/** Above this a replay waits for the reader: what it has still to give is safe in the database. */
const WAIT_ABOVE_BYTES = 256 * 1024;
/** A live reader that is behind by so much is cut, and resumes from its cursor. */
const CUT_ABOVE_BYTES = 1024 * 1024;
/** A reader that takes nothing at all for so long is gone. */
const STALLED_MS = 10_000;
const LOOK_MS = 20;

export class Outlet {
  readonly #connection: Connection | null;
  readonly #line: Line | null;
  #queuedBytes = 0;
  #isClosed = false;

  /** @param connection null over HTTP: there the stream is pulled by its reader, and only what is queued counts. */
  constructor(connection: Connection | null, line: Line | null) {
    this.#connection = connection;
    this.#line = line;
  }

  get #unsentBytes(): number {
    return (this.#connection?.unsentBytes ?? 0) + (this.#line?.waitingBytes ?? 0);
  }

  queued(event: FeedEvent): void {
    this.#queuedBytes += sizeOf(event);
  }

  taken(event: FeedEvent): void {
    this.#queuedBytes -= sizeOf(event);
  }

  get isOverfull(): boolean {
    return this.#queuedBytes + (this.#line?.unsentBytes ?? this.#unsentBytes) > CUT_ABOVE_BYTES;
  }

  /** Resolves once there is room: true, or false when the reader has stalled or is gone. Undefined: there is room now. */
  room(): Promise<boolean> | undefined {
    return this.#unsentBytes <= WAIT_ABOVE_BYTES ? undefined : this.#untilRoom();
  }

  async #untilRoom(): Promise<boolean> {
    // What was said just now is written at the end of this turn, and nearly always taken at once.
    await new Promise(setImmediate);
    if (this.#unsentBytes <= WAIT_ABOVE_BYTES) return true;
    let least = this.#unsentBytes;
    for (let stalled = 0; stalled < STALLED_MS && !this.#isClosed; stalled += LOOK_MS) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const unsent = this.#unsentBytes;
      if (unsent <= WAIT_ABOVE_BYTES) return true;
      if (unsent < least) stalled = 0;
      least = unsent;
    }
    return false;
  }

  /** Nobody waits for room any more. */
  close(): void {
    this.#isClosed = true;
  }

  cut(): void {
    this.#connection?.close(CLOSE.overLimit, 'too slow');
  }
}

/** About what the event weighs on the wire; exact enough for a bound. */
export function sizeOf(event: FeedEvent): number {
  if (event instanceof StoredMessage) return event.json.length;
  switch (event.type) {
    case 'message':
      return 600 + event.message.contentEncrypted.length + 200 * event.message.reactions.length;
    case 'conversation':
      return 600 + 400 * event.conversation.participants.length;
    default:
      return 400;
  }
}
