/** A sweep: every connection makes one call, all at the same time, and each is answered. What some of them hear of receipts is kept. */
import { performance } from 'node:perf_hooks';
import type { Connection } from './connection.ts';
import type { Sweep, SweepResult } from './orders.ts';

/** Ids of calls, above those of subscriptions and of messages. */
const FIRST_ID = 1_000_000_000;
const ANSWER = /^\{"id":(\d{10,}),/;
const SIGNAL = '{"id":4,';
/** So many connections look closely: what each hears is the same, and reading all of it would cost more than serving it. */
const WITNESSES = 10;
const GIVE_UP_MS = 60_000;

interface Signal {
  readonly userId: string;
  readonly readSeq: number;
  readonly alike?: readonly string[];
}

export class Sweeps {
  #nextId = FIRST_ID;
  #left = 0;
  #refused = 0;
  #signals = 0;
  #end: () => void = () => {};
  /** By witness: how far each person is known to have read. */
  readonly #known = new Map<Connection, Map<string, number>>();

  async run({ path, input, readers, readSeq }: Sweep, connections: readonly Connection[]): Promise<SweepResult> {
    const text = JSON.stringify({ method: 'mutation', params: { path, input } }).slice(1);
    const witnesses = readers > 0 ? connections.slice(0, WITNESSES) : [];
    this.#known.clear();
    for (const one of witnesses) this.#known.set(one, new Map());
    [this.#left, this.#refused, this.#signals] = [connections.length, 0, 0];
    const cpu = process.cpuUsage();
    const answered = new Promise<void>((resolve) => (this.#end = resolve));
    const began = performance.now();
    for (const connection of connections) connection.say(`{"id":${this.#nextId++},${text}`);
    await answered;
    const ms = performance.now() - began;
    const { user, system } = process.cpuUsage(cpu);
    const knows = (known: Map<string, number>) => [...known.values()].filter((seq) => seq >= readSeq).length;
    const complete = () => [...this.#known.values()].every((known) => knows(known) === readers);
    const until = performance.now() + GIVE_UP_MS;
    while (!complete() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
    const toldMs = performance.now() - began;
    return { ms, toldMs, refused: this.#refused, told: complete(), signals: this.#signals, ownCpuUs: user + system };
  }

  heard(connection: Connection, text: string): void {
    if (text.startsWith(SIGNAL)) return this.#signal(connection, text);
    if (this.#left === 0 || !ANSWER.test(text)) return;
    if (text.includes('"error":')) this.#refused++;
    if (--this.#left === 0) this.#end();
  }

  #signal(connection: Connection, text: string): void {
    this.#signals++;
    const known = this.#known.get(connection);
    if (!known || !text.includes('"type":"data"')) return;
    const { userId, readSeq, alike = [] } = (JSON.parse(text) as { result: { data: Signal } }).result.data;
    for (const id of [userId, ...alike]) known.set(id, Math.max(readSeq, known.get(id) ?? 0));
  }
}
