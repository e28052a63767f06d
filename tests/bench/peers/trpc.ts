/** A tRPC subscription as its documentation has it: an async generator over `events.on`, tracked ids, keep-alive. */
import { EventEmitter, on } from 'node:events';
import { initTRPC, tracked } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { event, listening, port, ROOMS } from './peer.ts';

const t = initTRPC.create();
const emitter = new EventEmitter().setMaxListeners(0);

const router = t.router({
  follow: t.procedure
    .input(z.object({ room: z.int(), lastEventId: z.string().nullish() }))
    .subscription(async function* ({ input, signal }) {
      for await (const [message] of on(emitter, `room ${input.room}`, { signal: signal as AbortSignal }))
        yield tracked((message as typeof event).message.id, message as typeof event);
    }),
  send: t.procedure.input(z.object({ room: z.int().or(z.literal('all')) })).mutation(({ input }) => {
    const rooms = input.room === 'all' ? Array.from({ length: ROOMS }, (_, i) => i) : [input.room];
    for (const room of rooms) emitter.emit(`room ${room}`, event);
    return { success: true };
  }),
});

// As long a queue as Parley's: the default of 511 would be overrun when thousands come at once.
const wss = new WebSocketServer({ port, host: '127.0.0.1', backlog: 4_096, perMessageDeflate: false });
wss.on('listening', listening);
applyWSSHandler({ wss, router, keepAlive: { enabled: true, pingMs: 25_000, pongWaitMs: 10_000 } });
