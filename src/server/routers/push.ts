/** push.*: browsers that want to be told outside of the page. */
import type { TRPCRouterRecord } from '@trpc/server';
import { PushKey, Subscribe, Unsubscribe } from '#protocol/push';
import { subscribe, unsubscribe } from '../domain/push.ts';
import { authedProcedure } from '../trpc.ts';

export const pushRouter = {
  /** The `applicationServerKey` of `pushManager.subscribe`. */
  publicKey: authedProcedure.output(PushKey).query(({ ctx }) => ({ publicKey: ctx.deps.secrets.vapid.publicKey })),
  subscribe: authedProcedure.input(Subscribe).mutation(({ ctx, input }) => subscribe(ctx.deps, ctx.session, input)),
  unsubscribe: authedProcedure
    .input(Unsubscribe)
    .mutation(({ ctx, input }) => unsubscribe(ctx.deps, ctx.session.userId, input.endpoint)),
} satisfies TRPCRouterRecord;
