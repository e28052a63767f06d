/** A round: so many messages to each room, the next when the last has arrived at everybody (or in step with a clock). */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectYoung } from '../collect.ts';
import type { Connection } from './connection.ts';
import { textFrame } from './frames.ts';
import type { Round, RoundResult } from './orders.ts';

/** For what the bench and this process have just collected. */
const SETTLE_MS = 100;
/** A round that has not ended by then has lost something. */
const GIVE_UP_MS = 60_000;

/** Those who receive the same messages; the first of them sends. */
class Room {
  sent = 0;
  /** How many have received message k. */
  readonly #arrived: Uint32Array;
  readonly sentAt: Float64Array;
  readonly hearers: readonly Connection[];
  readonly #sender: Connection | undefined;
  readonly #count: number;
  readonly #frameOf: (k: number) => Buffer;

  constructor(members: readonly Connection[], { count, othersOnly }: Round, frameOf: (k: number) => Buffer) {
    this.#sender = members[0];
    this.hearers = othersOnly ? members.slice(1) : members;
    this.#count = count;
    this.#frameOf = frameOf;
    this.#arrived = new Uint32Array(count);
    this.sentAt = new Float64Array(count);
    for (const hearer of this.hearers) hearer.received = 0;
  }

  get isDone(): boolean {
    return this.sent === this.#count;
  }

  sendNext(now: number): void {
    if (this.isDone) return;
    const k = this.sent++;
    this.sentAt[k] = now;
    this.#sender?.write(this.#frameOf(k));
  }

  /** In a room everybody receives in the same order, so the k-th of one is the k-th of all. @returns whether all have it. */
  arrived(k: number): boolean {
    return (this.#arrived[k] = (this.#arrived[k] ?? 0) + 1) === this.hearers.length;
  }
}

export class Rounds {
  #rooms: Room[] = [];
  #byConnection = new Map<Connection, Room>();
  #left = 0;
  #paced = false;
  #latencies = new Float64Array(0);
  #seen = 0;
  #end: () => void = () => {};

  /** @param triggerOf what makes the server send when the round brings no texts of its own. */
  async run(
    round: Round,
    connections: readonly Connection[],
    triggerOf: (room: number | 'all') => string,
  ): Promise<RoundResult> {
    const grouped = new Map<number, Connection[]>();
    for (const connection of connections) {
      const room = round.scope === 'all' ? 0 : connection.room;
      grouped.set(room, [...(round.scope === 'all' ? [] : (grouped.get(room) ?? [])), connection]);
    }
    if (round.scope === 'all') grouped.set(0, [...connections]);
    this.#rooms = [...grouped].map(([index, members]) => {
      // All frames are there before the clock runs: what a generator collects meanwhile is the same for all targets.
      const trigger = textFrame(round.texts ? '' : triggerOf(round.scope === 'all' ? 'all' : index));
      const frames = round.texts?.[index]?.map(textFrame);
      return new Room(members, round, (k) => frames?.[k] ?? trigger);
    });
    this.#byConnection = new Map(this.#rooms.flatMap((room) => room.hearers.map((one) => [one, room] as const)));
    const hearers = [...this.#byConnection.keys()];
    const deliveries = hearers.length * round.count;
    this.#left = deliveries;
    this.#latencies = new Float64Array(deliveries);
    this.#seen = 0;
    this.#paced = round.perSecond !== undefined;
    const ended = new Promise<void>((resolve) => (this.#end = resolve));
    collectYoung();
    await sleep(SETTLE_MS);
    const cpu = process.cpuUsage();
    const began = performance.now();
    const clock =
      round.perSecond === undefined ? this.#startClosed(round.inFlight ?? 1) : this.#startPaced(round.perSecond);
    let isOver = round.perSecond !== undefined;
    // Over the loopback whoever writes also pays for waking the reader, and the slower one pays more often. Not here.
    const stayAwake = () => void (isOver || setImmediate(stayAwake));
    stayAwake();
    const giveUp = setTimeout(() => this.#end(), round.giveUpMs ?? GIVE_UP_MS);
    await ended;
    isOver = true;
    const ms = performance.now() - began;
    clearTimeout(giveUp);
    clearInterval(clock);
    const { user, system } = process.cpuUsage(cpu);
    const counts = hearers.map(({ received }) => received);
    const took = this.#latencies.subarray(0, this.#seen).sort();
    this.#byConnection.clear();
    return {
      ms,
      deliveries: this.#seen,
      expected: deliveries,
      fewest: counts.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY),
      most: counts.reduce((most, one) => Math.max(most, one), 0),
      p50: took[Math.floor(took.length * 0.5)] ?? 0,
      p99: took[Math.floor(took.length * 0.99)] ?? 0,
      ownCpuUs: user + system,
    };
  }

  delivered(connection: Connection, now: number): void {
    const room = this.#byConnection.get(connection);
    if (!room) return;
    const k = connection.received - 1;
    this.#latencies[this.#seen++] = now - (room.sentAt[k] ?? now);
    if (room.arrived(k) && !this.#paced) room.sendNext(now);
    if (--this.#left === 0) this.#end();
  }

  #startClosed(inFlight: number): undefined {
    for (const room of this.#rooms) for (let i = 0; i < inFlight; i++) room.sendNext(performance.now());
  }

  /** Sends are due by the clock, not by what came back: a server that falls behind is not spared. Latency counts from when it was due. */
  #startPaced(perSecond: number): NodeJS.Timeout {
    const began = performance.now();
    let sent = 0;
    return setInterval(() => {
      const due = ((performance.now() - began) * perSecond) / 1000;
      for (; sent <= due; sent++) this.#rooms[sent % this.#rooms.length]?.sendNext(began + (sent * 1000) / perSecond);
    }, 1);
  }
}
