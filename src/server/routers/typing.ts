/** typing.*: over the wire only, never stored. */
import type { TRPCRouterRecord } from '@trpc/server';
import { SetTyping, SignalScope } from '#protocol/signal';
import { setTyping } from '../domain/typing.ts';
import { watchTyping } from '../feed/signals.ts';
import { authedProcedure } from '../trpc.ts';
import { watcherOf } from './watcher.ts';

export const typingRouter = {
  set: authedProcedure.input(SetTyping).mutation(async ({ ctx, input }) => {
    await setTyping(ctx.deps, ctx.session.userId, input);
    return { success: true as const };
  }),
  onChange: authedProcedure
    .input(SignalScope)
    .subscription(({ ctx, input, signal }) => watchTyping(ctx.deps, watcherOf(ctx, signal), input?.conversationId)),
} satisfies TRPCRouterRecord;
