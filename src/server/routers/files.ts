/** files.*: what is around the bytes; those travel over /files (transport/files.ts). */
import type { TRPCRouterRecord } from '@trpc/server';
import { z } from 'zod';
import { CreateFile, FileLimits, FileProgress, FileRef } from '#protocol/file';
import { fileLimits } from '../domain/files.ts';
import { beginUpload, cancelUpload } from '../domain/uploads.ts';
import { authedProcedure } from '../trpc.ts';

export const filesRouter = {
  create: authedProcedure
    .input(CreateFile)
    .output(FileProgress)
    .mutation(({ ctx, input }) => beginUpload(ctx.deps, ctx.session.userId, input)),
  limits: authedProcedure.output(FileLimits).query(({ ctx }) => fileLimits(ctx.deps, ctx.session.userId)),
  cancel: authedProcedure
    .input(FileRef)
    .output(z.object({ success: z.literal(true) }))
    .mutation(({ ctx, input }) => cancelUpload(ctx.deps, ctx.session.userId, input.id)),
} satisfies TRPCRouterRecord;
