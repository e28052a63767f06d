/** A stop that loses nothing (P33): no new work, clients told to move, what is in flight finished, then closed. */
import type { Server } from 'node:http';
import { CLOSE } from '#protocol/close-codes';
import type { ServerState } from './state.ts';
import type { WsServer } from './ws.ts';

/** Together well below the 10 s after which orchestrators kill. */
const IN_FLIGHT_MS = 6_000;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

async function until(condition: () => boolean, patienceMs: number): Promise<void> {
  for (let waited = 0; waited < patienceMs && !condition(); waited += 20) await pause(20);
}

export async function drain(http: Server, ws: WsServer, state: ServerState): Promise<void> {
  state.draining = true;
  const closed = new Promise<void>((done) => http.close(() => done()));
  http.closeIdleConnections();
  ws.broadcastReconnect();
  // Clients open the new socket first and then let go of this one; give them the moment that takes.
  await until(() => ws.sockets.all.size === 0, 200);
  await until(() => [...ws.sockets.all].every((socket) => socket.calls === 0), IN_FLIGHT_MS);
  for (const socket of ws.sockets.all) socket.close(CLOSE.restart, 'restart');
  ws.close();
  const late = setTimeout(() => http.closeAllConnections(), 2_500);
  await closed;
  clearTimeout(late);
}
