/** Servers that are measured in turns, each with a process of load of its own: Parley and the peers beside it. */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Crowd } from './crowd.ts';
import { type Load, startLoad } from './load/load.ts';
import type { Round, RoundResult, Scope } from './load/orders.ts';
import type { ProtocolName, Speaking } from './load/protocols.ts';
import { cpuUs, freePort, start, stop } from './process.ts';
import type { World } from './world.ts';

export interface Measured extends RoundResult {
  /** Of the server, while the round ran. */
  readonly cpuUs: number;
}

export interface Target extends AsyncDisposable {
  readonly name: ProtocolName;
  readonly pid: number;
  readonly load: Load;
  /** One round, for Parley with fresh messages. @throws Error when anything was lost or came twice. */
  round(round: Omit<Round, 'texts'>): Promise<Measured>;
}

interface Place {
  readonly pid: number;
  readonly port: number;
  readonly server?: ChildProcess;
}

async function target(place: Place, speaking: Speaking, crowd: Crowd): Promise<Target> {
  const { pid } = place;
  const load = startLoad();
  await load.order('begin', { ...speaking, port: place.port, who: crowd.who });
  return {
    name: speaking.protocol,
    pid,
    load,
    async round(wanted) {
      const texts = speaking.protocol === 'parley' ? { texts: await crowd.seal(wanted.scope, wanted.count) } : {};
      const before = cpuUs(pid);
      const result = await load.order('round', { ...wanted, ...texts });
      if (result.fewest !== wanted.count || result.most !== wanted.count)
        throw new Error(`${speaking.protocol}: of ${wanted.count} messages ${result.fewest} to ${result.most} arrived`);
      return { ...result, cpuUs: cpuUs(pid) - before };
    },
    async [Symbol.asyncDispose]() {
      await load.end();
      if (place.server) await stop(place.server);
    },
  };
}

export const parleyTarget = (world: World, crowd: Crowd, signals = false): Promise<Target> =>
  target(
    { pid: world.pid, port: Number(new URL(world.url).port) },
    { protocol: 'parley', signals, peers: crowd.peers },
    crowd,
  );

export async function peerTarget(protocol: Exclude<ProtocolName, 'parley'>, crowd: Crowd): Promise<Target> {
  const port = await freePort();
  const file = fileURLToPath(new URL(`./peers/${protocol.replace('.', '-')}.ts`, import.meta.url));
  const env = { PEER_PORT: String(port), PEER_FRAME: crowd.frame, NODE_ENV: 'production' };
  const server = await start(['--import', 'tsx', file], env, 'peer listening');
  return target({ pid: server.pid ?? 0, port, server }, { protocol }, crowd);
}

/** How many messages make a round of about `ms`. */
export async function countFor(one: Target, scope: Scope, ms: number, probe: number): Promise<number> {
  const { ms: took } = await one.round({ scope, count: probe });
  return Math.max(probe, Math.round((probe * ms) / took));
}

export interface Targets extends AsyncDisposable {
  readonly all: readonly Target[];
}

/** Parley and these peers. What is started already is stopped when a later one fails. */
export async function startTargets(
  world: World,
  crowd: Crowd,
  peers: readonly Exclude<ProtocolName, 'parley'>[],
): Promise<Targets> {
  const all: Target[] = [];
  const dispose = async () => void (await Promise.all(all.map((one) => one[Symbol.asyncDispose]())));
  try {
    all.push(await parleyTarget(world, crowd));
    for (const peer of peers) all.push(await peerTarget(peer, crowd));
  } catch (error) {
    await dispose();
    throw error;
  }
  return { all, [Symbol.asyncDispose]: dispose };
}
