/** presence.*: of those one asks for, as far as one may see them. */
import type { TRPCRouterRecord } from '@trpc/server';
import { z } from 'zod';
import { PresenceIds, PresenceSignal, SetPresence } from '#protocol/signal';
import { presenceOf } from '../domain/presence.ts';
import { watchPresence } from '../feed/presence-watch.ts';
import { authedProcedure } from '../trpc.ts';
import { watcherOf } from './watcher.ts';

export const presenceRouter = {
  set: authedProcedure.input(SetPresence).mutation(({ ctx, input }) => {
    ctx.deps.presence.set(ctx.session.userId, ctx.session.sessionId, input.status);
    return { success: true as const };
  }),
  get: authedProcedure
    .input(PresenceIds)
    .output(z.array(PresenceSignal))
    .query(({ ctx, input }) => presenceOf(ctx.deps, ctx.session.userId, input.userIds)),
  onChange: authedProcedure
    .input(PresenceIds)
    .subscription(({ ctx, input, signal }) => watchPresence(ctx.deps, watcherOf(ctx, signal), input.userIds)),
} satisfies TRPCRouterRecord;
