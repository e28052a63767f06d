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

/** Who has asked for it hears of many at the same place in one signal, and everybody else of each. */
interface Told {
  readonly single: readonly ReceiptSignal[];
  readonly together: readonly ReceiptSignal[];
}

interface Read {
  /** For everybody. */
  readonly shown: Told;
  /** For who hides what he reads. */
  readonly unread: Told;
  readonly own: ReadonlyMap<string, Moved>;
}

/** The same objects for all who listen, so that they are put into bytes once. */
const read = new WeakMap<Moves, Read>();

function readingOf(moves: Moves): Read {
  const known = read.get(moves);
  if (known) return known;
  const shown = signalsOf(moves);
  const told = (single: ReceiptSignal[]): Told => ({ single, together: gathered(single) });
  const unread = shown.map((signal) => ({ ...signal, readSeq: 0 }));
  const own = new Map(moves.moved.map((one) => [one.userId, one]));
  const made = { shown: told(shown), unread: told(unread), own };
  read.set(moves, made);
  return made;
}

/** What one person is told of it. His own moves he hears as they are. */
export function signalsFor(
  userId: string,
  moves: Moves,
  { seesReading, together }: { seesReading: boolean; together: boolean },
): readonly ReceiptSignal[] {
  const { shown, unread, own } = readingOf(moves);
  const others = (seesReading ? shown : unread)[together ? 'together' : 'single'];
  const mine = own.get(userId);
  if (!mine || (seesReading && mine.shown === mine.read)) return others;
  const { conversationId, at } = moves;
  const ofOthers = others.filter((one) => one.userId !== userId || one.alike);
  return [...ofOthers, { conversationId, userId, deliveredSeq: mine.delivered, readSeq: mine.read, at }];
}

const signalsOf = ({ conversationId, at, moved }: Moves): ReceiptSignal[] =>
  moved.flatMap(({ userId, delivered, shown }) =>
    shown === null ? [] : [{ conversationId, userId, deliveredSeq: delivered, readSeq: shown, at }],
  );

function gathered(single: readonly ReceiptSignal[]): ReceiptSignal[] {
  const places = new Map<string, ReceiptSignal[]>();
  for (const signal of single) {
    const key = `${signal.deliveredSeq}/${signal.readSeq}`;
    const place = places.get(key);
    if (place) place.push(signal);
    else places.set(key, [signal]);
  }
  return [...places.values()].flatMap((signals) => {
    const [first, ...rest] = signals;
    return first && rest.length >= MANY ? [{ ...first, alike: rest.map(({ userId }) => userId) }] : signals;
  });
}
