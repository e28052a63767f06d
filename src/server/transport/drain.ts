/** A stop that loses nothing (P33): no new work, clients told to move, what is in flight finished, then closed. */
import type { Server } from 'node:http';
import { CLOSE } from '#protocol/close-codes';
import type { ServerState } from './state.ts';
import type { WsServer } from './ws.ts';

/** From the beginning. With what follows it stays well below the 10 s after which orchestrators kill. */
const IN_FLIGHT_MS = 6_000;
/** Clients are told a few at a time, or all of them would come to the next node in the same moment. */
const SPREAD = { overMs: 3_000, everyMs: 100, atLeast: 10 };
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

async function until(condition: () => boolean, patienceMs: number): Promise<void> {
  for (let waited = 0; waited < patienceMs && !condition(); waited += 20) await pause(20);
}

export async function drain(http: Server, ws: WsServer, state: ServerState): Promise<void> {
  state.draining = true;
  const closed = new Promise<void>((done) => http.close(() => done()));
  http.closeIdleConnections();
  const began = Date.now();
  await tellToMove(ws);
  // Clients open the new socket first and then let go of this one; give them the moment that takes.
  await until(() => ws.sockets.all.size === 0, 200);
  await until(() => [...ws.sockets.all].every((socket) => socket.calls === 0), IN_FLIGHT_MS - (Date.now() - began));
  for (const socket of ws.sockets.all) socket.close(CLOSE.restart, 'restart');
  ws.close();
  const late = setTimeout(() => http.closeAllConnections(), 2_500);
  await closed;
  clearTimeout(late);
}

async function tellToMove({ sockets }: WsServer): Promise<void> {
  const all = [...sockets.all];
  const size = Math.max(SPREAD.atLeast, Math.ceil((all.length * SPREAD.everyMs) / SPREAD.overMs));
  for (let i = 0; i < all.length; i += size) {
    if (i > 0) await pause(SPREAD.everyMs);
    for (const socket of all.slice(i, i + size)) socket.askToMove();
  }
}
