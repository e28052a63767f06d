/** Servers that are measured in turns, each with a process of load of its own: Parley and the peers beside it. */
import { fileURLToPath } from 'node:url';
import { collectGarbage } from './collect.ts';
import type { Crowd } from './crowd.ts';
import { type Load, startLoad } from './load/load.ts';
import type { Round, RoundResult } from './load/orders.ts';
import type { Speaking } from './load/protocols.ts';
import { cpuUs, freePort, start, stop } from './process.ts';
import type { World } from './world.ts';

/** By the file in peers/. */
export type Peer = 'ws' | 'socket.io' | 'trpc' | 'guide' | 'rows';

export interface Measured extends RoundResult {
  /** Of the server, while the round ran. */
  readonly cpuUs: number;
}

export interface Target extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  readonly load: Load;
  /** One round, for Parley with fresh messages where nothing else is to be said. @throws Error when anything was lost or came twice. */
  round(round: Round): Promise<Measured>;
}

/** A server that runs, and how to stop it where that is ours to do. */
export interface Place {
  readonly pid: number;
  readonly port: number;
  /** Where the connections go in turn, when it is not one place. */
  readonly ports?: readonly number[];
  readonly stop?: () => Promise<void>;
}

export const placeOf = ({ pid, url }: Pick<World, 'pid' | 'url'>): Place => ({ pid, port: Number(new URL(url).port) });

export async function newTarget(place: Place, speaking: Speaking, crowd: Crowd): Promise<Target> {
  const { pid } = place;
  const load = startLoad();
  await load.order('begin', { ...speaking, ports: place.ports ?? [place.port], who: crowd.who });
  return {
    pid,
    port: place.port,
    load,
    async round(wanted) {
      const isSealed = speaking.protocol === 'parley' && !wanted.texts;
      const texts = isSealed ? { texts: await crowd.seal(wanted.scope, wanted.count) } : {};
      collectGarbage();
      const before = cpuUs(pid);
      const result = await load.order('round', { ...wanted, ...texts });
      if (result.fewest !== wanted.count || result.most !== wanted.count)
        throw new Error(`${speaking.protocol}: of ${wanted.count} messages ${result.fewest} to ${result.most} arrived`);
      return { ...result, cpuUs: cpuUs(pid) - before };
    },
    async [Symbol.asyncDispose]() {
      await load.end();
      await place.stop?.();
    },
  };
}

export async function startPeer(
  peer: Peer,
  crowd: Pick<Crowd, 'frame'>,
  env: Record<string, string> = {},
  nodeOptions: readonly string[] = [],
): Promise<Place> {
  const port = await freePort();
  const file = fileURLToPath(new URL(`./peers/${peer.replace('.', '-')}.ts`, import.meta.url));
  const given = { PEER_PORT: String(port), PEER_FRAME: crowd.frame, NODE_ENV: 'production', ...env };
  const server = await start([...nodeOptions, '--import', 'tsx', file], given, 'peer listening');
  return { pid: server.pid ?? 0, port, stop: () => stop(server) };
}

export interface Targets extends AsyncDisposable {
  /** Parley, then the peers in their order. */
  readonly all: readonly Target[];
  /** To all of them, until each has so many. */
  open(connections: number): Promise<void>;
}

/** Parley and these peers. What is started already is stopped when a later one fails. */
export async function startTargets(
  world: World,
  crowd: Crowd,
  peers: readonly Exclude<Peer, 'guide' | 'rows'>[],
): Promise<Targets> {
  const all: Target[] = [];
  const dispose = async () => void (await Promise.all(all.map((one) => one[Symbol.asyncDispose]())));
  try {
    all.push(await newTarget(placeOf(world), { protocol: 'parley' }, crowd));
    for (const peer of peers) all.push(await newTarget(await startPeer(peer, crowd), { protocol: peer }, crowd));
  } catch (error) {
    await dispose();
    throw error;
  }
  let present = 0;
  return {
    all,
    async open(connections) {
      await crowd.acknowledge();
      for (const { load } of all) await load.order('open', { count: Math.max(0, connections - present) });
      present = Math.max(present, connections);
    },
    [Symbol.asyncDispose]: dispose,
  };
}
