/** Servers whose memory is measured: fresh, and made to collect their garbage before anybody looks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Crowd } from './crowd.ts';
import type { Speaking } from './load/protocols.ts';
import { freePort, residentBytes, start, stop } from './process.ts';
import { newTarget, startPeer, type Peer, type Place, type Target } from './targets.ts';
import type { World } from './world.ts';

const COLLECTING = ['--expose-gc', '--import', fileURLToPath(new URL('./collect-on-signal.mjs', import.meta.url))];
/** For what a socket does in its first moments, and for one collection. */
const SETTLE_MS = 2_000;
const COLLECT_MS = 700;

/** Another server on the same database, which has served nobody yet. */
export async function freshParley(world: World, crowd: Crowd, speaking: Partial<Speaking> = {}): Promise<Target> {
  const port = await freePort();
  const env = { ...world.env, PORT: String(port) };
  const server = await start([...COLLECTING, 'dist/server/main.js'], env, 'ready');
  const place: Place = { pid: server.pid ?? 0, port, stop: () => stop(server) };
  return newTarget(place, { protocol: 'parley', peers: crowd.peers, ...speaking }, crowd);
}

export const freshPeer = async (
  peer: Exclude<Peer, 'guide' | 'rows'>,
  crowd: Crowd,
  signals = false,
): Promise<Target> => newTarget(await startPeer(peer, crowd, {}, COLLECTING), { protocol: peer, signals }, crowd);

export async function heldBytes({ pid }: Target): Promise<number> {
  await sleep(SETTLE_MS);
  // What the first one frees may hold more.
  for (let i = 0; i < 2; i++) {
    process.kill(pid, 'SIGUSR2');
    await sleep(COLLECT_MS);
  }
  return residentBytes(pid);
}
