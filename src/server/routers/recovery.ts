/** Part of keys.*: the ways back in without the password. Public; what proves who is calling is in the input. */
import type { TRPCRouterRecord } from '@trpc/server';
import {
  BeginReset,
  CodeRequested,
  OpenRecovery,
  Recover,
  RecoverableAccount,
  RequestCode,
  ResetAccount,
  ResettableAccount,
} from '#protocol/account';
import { LoggedIn } from '#protocol/auth';
import { beginReset, openRecovery, recover, requestCode, requestOwnCode, resetAccount } from '../domain/recovery.ts';
import { authedProcedure, publicProcedure } from '../trpc.ts';
import { requireCookies, welcome } from './welcome.ts';

/** Mutations all of them: what proves must not stand in an address, where logs would keep it. */
export const recoveryRouter = {
  requestCode: publicProcedure
    .input(RequestCode)
    .output(CodeRequested)
    .mutation(({ ctx, input }) => requestCode(ctx.deps, ctx, input)),
  requestOwnCode: authedProcedure
    .output(CodeRequested)
    .mutation(({ ctx }) => requestOwnCode(ctx.deps, ctx.session.userId)),
  openRecovery: publicProcedure
    .input(OpenRecovery)
    .output(RecoverableAccount)
    .mutation(({ ctx, input }) => openRecovery(ctx.deps, ctx, input)),
  recover: publicProcedure
    .input(Recover)
    .output(LoggedIn)
    .mutation(async ({ ctx, input }) => {
      requireCookies(ctx, input.session);
      return welcome(ctx, await recover(ctx.deps, ctx, input));
    }),
  beginReset: publicProcedure
    .input(BeginReset)
    .output(ResettableAccount)
    .mutation(({ ctx, input }) => beginReset(ctx.deps, ctx, input)),
  reset: publicProcedure
    .input(ResetAccount)
    .output(LoggedIn)
    .mutation(async ({ ctx, input }) => {
      requireCookies(ctx, input.session);
      return welcome(ctx, await resetAccount(ctx.deps, ctx, input));
    }),
} satisfies TRPCRouterRecord;
