/** receipts.*: how far each person has come. */
import type { TRPCRouterRecord } from '@trpc/server';
import { Advance, Watermarks } from '#protocol/receipt';
import { ReceiptScope } from '#protocol/signal';
import { advance } from '../domain/receipts.ts';
import { watchReceipts } from '../feed/signals.ts';
import { authedProcedure } from '../trpc.ts';
import { watcherOf } from './watcher.ts';

export const receiptsRouter = {
  advance: authedProcedure
    .input(Advance)
    .output(Watermarks)
    .mutation(({ ctx, input }) => advance(ctx.deps, ctx.session.userId, input)),
  onChange: authedProcedure
    .input(ReceiptScope)
    .subscription(({ ctx, input, signal }) => watchReceipts(ctx.deps, watcherOf(ctx, signal), input ?? {})),
} satisfies TRPCRouterRecord;
