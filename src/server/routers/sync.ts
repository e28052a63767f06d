/** sync.* and feed.*: where to start, and everything from there on. */
import type { TRPCRouterRecord } from '@trpc/server';
import { FollowInput } from '#protocol/event';
import { bootstrap } from '../domain/sync.ts';
import { Follower } from '../feed/follow.ts';
import { authedProcedure } from '../trpc.ts';
import { watcherOf } from './watcher.ts';

export const syncRouter = {
  bootstrap: authedProcedure.query(({ ctx }) => bootstrap(ctx.deps, ctx.session.userId)),
} satisfies TRPCRouterRecord;

export const feedRouter = {
  /** Every yield is tracked: an untracked one would erase the client's resume id. */
  follow: authedProcedure
    .input(FollowInput)
    .subscription(({ ctx, input, signal }) => new Follower(ctx.deps, watcherOf(ctx, signal), input?.lastEventId)),
} satisfies TRPCRouterRecord;
