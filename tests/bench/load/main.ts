/** The process that opens connections and counts what arrives: it obeys the bench, one order at a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '#lib/must';
import { Connection } from './connection.ts';
import type { Orders } from './orders.ts';
import { type Credential, type Protocol, protocolOf } from './protocols.ts';
import { Rounds } from './rooms.ts';
import { Sweeps } from './sweeps.ts';

const AT_ONCE = 64;

let ports: readonly number[] = [];
let protocol: Protocol | null = null;
let who: readonly Credential[] = [];
let failure: string | null = null;
const connections: Connection[] = [];
const rounds = new Rounds();
const sweeps = new Sweeps();
const fate = {
  delivered: (connection: Connection, now: number) => rounds.delivered(connection, now),
  heard: (connection: Connection, text: string) => sweeps.heard(connection, text),
  failed: (why: string) => {
    failure ??= why;
  },
};

async function open({ count, atOnce = AT_ONCE }: Orders['open']['order']): Promise<Orders['open']['answer']> {
  const speaks = must(protocol, 'begin comes first');
  const before = connections.length;
  const until = before + count;
  const began = performance.now();
  const openNext = async () => {
    while (connections.length < until) {
      const person = must(who[connections.length % who.length], 'somebody connects');
      const port = must(ports[connections.length % ports.length], 'somewhere');
      const connection = new Connection(port, speaks, person, fate);
      connections.push(connection);
      await connection.ready;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, openNext));
  const ms = performance.now() - began;
  return { ms, received: connections.slice(before).reduce((sum, { received }) => sum + received, 0) };
}

const obey: { [K in keyof Orders]: (order: Orders[K]['order']) => Promise<Orders[K]['answer']> } = {
  async begin(order) {
    ({ ports, who } = order);
    protocol = protocolOf(order);
    return null;
  },
  open,
  round: (order) => rounds.run(order, connections, (room) => must(protocol, 'begin comes first').trigger(room)),
  sweep: (order) => sweeps.run(order, connections),
  async leave() {
    for (const connection of connections.splice(0)) connection.leave();
    await sleep(200);
    return null;
  },
};

process.on('message', ({ name, order }: { name: keyof Orders; order: never }) => {
  const answered = obey[name](order).then((answer) => (failure === null ? { answer } : { failure }));
  void answered
    .catch((error: unknown) => ({ failure: `${failure ?? ''} ${String(error)}` }))
    .then((word) => process.send?.(word));
});
process.on('disconnect', () => process.exit(0));
