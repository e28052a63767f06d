/**
 * What is told of watermarks: at once when it is quiet, and otherwise, for each conversation, what has moved within a
 * moment together. A thousand people who read a message are a few signals to each other, not a million.
 */
import type { ReceiptSignal } from '#protocol/signal';
import type { Bus, BusMessage, Moved } from '../bus/bus.ts';

export type Moves = Extract<BusMessage, { kind: 'receipts' }>;

/** Not noticed between a message and its tick. */
const GATHER_MS = 100;
/** Below this everybody who stands at the same place has a signal of his own. */
const MANY = 8;

export class ReceiptNews {
  readonly #bus: Bus;
  /** Of conversations that were told of less than a moment ago. */
  readonly #waiting = new Map<string, Map<string, Moved>>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  note(conversationId: string, moved: Moved): void {
    const waiting = this.#waiting.get(conversationId);
    if (waiting) return void waiting.set(moved.userId, farther(moved, waiting.get(moved.userId)));
    this.#waiting.set(conversationId, new Map([[moved.userId, moved]]));
    // What was written by one statement is noted in one tick.
    setImmediate(() => this.#tell(conversationId));
  }

  #tell(conversationId: string): void {
    const moved = [...(this.#waiting.get(conversationId)?.values() ?? [])];
    if (moved.length === 0) return void this.#waiting.delete(conversationId);
    this.#waiting.set(conversationId, new Map());
    this.#bus.publish({ kind: 'receipts', conversationId, at: new Date().toISOString(), moved });
    setTimeout(() => this.#tell(conversationId), GATHER_MS).unref();
  }
}

function farther(now: Moved, before: Moved | undefined): Moved {
  if (!before) return now;
  const shown = Math.max(now.shown ?? -1, before.shown ?? -1);
  return {
    userId: now.userId,
    delivered: Math.max(now.delivered, before.delivered),
    read: Math.max(now.read, before.read),
    shown: shown < 0 ? null : shown,
  };
}

interface Read {
  /** For everybody. */
  readonly shown: readonly ReceiptSignal[];
  /** For who hides what he reads. */
  readonly unread: readonly ReceiptSignal[];
  readonly own: ReadonlyMap<string, Moved>;
}

/** The same objects for all who listen, so that they are put into bytes once. */
const read = new WeakMap<Moves, Read>();

/** What one person is told of it. His own moves he hears as they are. */
export function signalsFor(userId: string, moves: Moves, seesReading: boolean): readonly ReceiptSignal[] {
  let all = read.get(moves);
  if (!all) {
    const shown = together(moves);
    const unread = shown.map((signal) => ({ ...signal, readSeq: 0 }));
    read.set(moves, (all = { shown, unread, own: new Map(moves.moved.map((one) => [one.userId, one])) }));
  }
  const others = seesReading ? all.shown : all.unread;
  const own = all.own.get(userId);
  if (!own || (seesReading && own.shown === own.read)) return others;
  const { conversationId, at } = moves;
  const ofOthers = others.filter((one) => one.userId !== userId || one.alike);
  return [...ofOthers, { conversationId, userId, deliveredSeq: own.delivered, readSeq: own.read, at }];
}

function together({ conversationId, at, moved }: Moves): ReceiptSignal[] {
  const places = new Map<string, { deliveredSeq: number; readSeq: number; userIds: string[] }>();
  for (const { userId, delivered, shown } of moved) {
    if (shown === null) continue;
    const key = `${delivered}/${shown}`;
    const place = places.get(key);
    if (place) place.userIds.push(userId);
    else places.set(key, { deliveredSeq: delivered, readSeq: shown, userIds: [userId] });
  }
  return [...places.values()].flatMap(({ userIds, ...marks }) => {
    const signals = userIds.map((userId) => ({ conversationId, userId, ...marks, at }));
    const [first] = signals;
    return first && userIds.length > MANY ? [{ ...first, alike: userIds.slice(1) }] : signals;
  });
}
