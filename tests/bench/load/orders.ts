/** What is said between the bench and a process of load. */
import type { Credential, Speaking } from './protocols.ts';

/** Messages to everybody at once, or to each room of ten. */
export type Scope = 'all' | 'rooms';

export interface Round {
  readonly scope: Scope;
  /** Messages for each room. */
  readonly count: number;
  /** Messages of one room under way at a time. */
  readonly inFlight?: number;
  /** Of all rooms together, by the clock, whatever has come back. */
  readonly perSecond?: number;
  readonly giveUpMs?: number;
  /** Who sends is not told of it. */
  readonly othersOnly?: boolean;
  /** By room, what makes the server send: real messages for Parley. */
  readonly texts?: readonly (readonly string[])[];
}

export interface RoundResult {
  readonly ms: number;
  readonly deliveries: number;
  readonly expected: number;
  /** Messages that arrived at the connection with the fewest, and with the most. */
  readonly fewest: number;
  readonly most: number;
  /** Milliseconds from the sending of a message to each arrival. */
  readonly p50: number;
  readonly p99: number;
  /** What the generator itself needed. */
  readonly ownCpuUs: number;
}

/** One call of each connection, all at once. */
export interface Sweep {
  readonly path: string;
  readonly input: object;
  /** Watchers wait until they know of so many people that they have read so far; 0: nobody watches. */
  readonly readers: number;
  readonly readSeq: number;
}

export interface SweepResult {
  /** Until all are answered, and until all are told. */
  readonly ms: number;
  readonly toldMs: number;
  readonly refused: number;
  readonly told: boolean;
  /** Frames that came to all watchers together. */
  readonly signals: number;
  readonly ownCpuUs: number;
}

export interface Orders {
  /** How to speak, where, and as whom: connection i goes to the (i modulo all)-th port as the (i modulo all)-th person. */
  begin: { order: Speaking & { ports: readonly number[]; who: readonly Credential[] }; answer: null };
  /** Opens so many more, some at a time, until each is ready. `received`: messages that had come to the new ones by then. */
  open: { order: { count: number; atOnce?: number }; answer: { ms: number; received: number } };
  round: { order: Round; answer: RoundResult };
  sweep: { order: Sweep; answer: SweepResult };
  /** Closes all. */
  leave: { order: null; answer: null };
}
