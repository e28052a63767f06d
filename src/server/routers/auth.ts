/** Accounts and sessions, as the contract names them. */
import type { TRPCRouterRecord } from '@trpc/server';
import { Extend } from '#protocol/auth';
import { ParleyError } from '#protocol/errors';
import { authenticate } from '../context.ts';
import { authedProcedure } from '../trpc.ts';

export const authRouter = {
  /** Keeps an open socket alive past its first token: the client hands over a newer one of the same session. */
  extend: authedProcedure.input(Extend).mutation(async ({ ctx, input }) => {
    const { session, refused } = await authenticate(ctx.deps, input.token);
    if (session === null) throw new ParleyError('UNAUTHORIZED', refused);
    if (ctx.connection !== null && !ctx.connection.extend(session))
      throw new ParleyError('UNAUTHORIZED', 'not_signed_in');
    return { accessTokenExpiresAt: new Date(session.expiresAt).toISOString() };
  }),
} satisfies TRPCRouterRecord;
