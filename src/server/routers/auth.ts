/** Accounts and sessions, as the contract names them. */
import type { TRPCRouterRecord } from '@trpc/server';
import { z } from 'zod';
import { Extend, LoggedIn, Login, PreLogin, Refresh, Register, RevokeSession, Session, SignedIn } from '#protocol/auth';
import { ParleyError } from '#protocol/errors';
import { authenticate, type Context } from '../context.ts';
import { logIn, preLogin, register } from '../domain/accounts.ts';
import { endAllSessions, endOwnSession, endSession, listSessions, rotate, sessionOfToken } from '../domain/sessions.ts';
import { authedProcedure, publicProcedure } from '../trpc.ts';
import { handOut, requireCookies, welcome } from './welcome.ts';

/** From the body, else from the cookie - unless another site's page has made the browser send it. */
function refreshTokenOf(ctx: Context, given: string | null | undefined): string | null {
  if (given) return given;
  return ctx.crossSite ? null : (ctx.cookies?.refreshToken ?? null);
}

export const authRouter = {
  register: publicProcedure
    .input(Register)
    .output(SignedIn)
    .mutation(async ({ ctx, input }): Promise<SignedIn> => {
      requireCookies(ctx, input.session);
      const { user, issued } = await register(ctx.deps, ctx, input);
      return { user, ...(await handOut(ctx, issued)) };
    }),

  preLogin: publicProcedure.input(PreLogin).query(({ ctx, input }) => preLogin(ctx.deps, ctx, input.login)),

  login: publicProcedure
    .input(Login)
    .output(LoggedIn)
    .mutation(async ({ ctx, input }) => {
      requireCookies(ctx, input.session);
      return welcome(ctx, await logIn(ctx.deps, ctx, input));
    }),

  refresh: publicProcedure
    .input(Refresh)
    .output(LoggedIn)
    .mutation(async ({ ctx, input }) => {
      await ctx.deps.limits.take('refresh', ctx.address);
      const token = refreshTokenOf(ctx, input?.refreshToken);
      if (token === null) throw new ParleyError('UNAUTHORIZED', 'not_signed_in');
      try {
        return await welcome(ctx, await rotate(ctx.deps, token));
      } catch (error) {
        // A cookie that was refused would be refused for ever.
        if (error instanceof ParleyError && error.code === 'UNAUTHORIZED' && ctx.cookies?.refreshToken === token)
          ctx.cookies.setRefreshToken(null);
        throw error;
      }
    }),

  /** Ends this session. A refresh token is enough, so that one can log out after the access token has expired. */
  logout: publicProcedure.input(Refresh).mutation(async ({ ctx, input }) => {
    const token = refreshTokenOf(ctx, input?.refreshToken);
    const sessionId = ctx.session?.sessionId ?? (token === null ? null : await sessionOfToken(ctx.deps, token));
    if (sessionId === null) throw new ParleyError('UNAUTHORIZED', ctx.refused);
    await endSession(ctx.deps, sessionId);
    ctx.cookies?.setRefreshToken(null);
    return { success: true as const };
  }),

  logoutAll: authedProcedure.mutation(async ({ ctx }) => {
    await endAllSessions(ctx.deps, ctx.session.userId);
    ctx.cookies?.setRefreshToken(null);
    return { success: true as const };
  }),

  sessions: authedProcedure.output(z.array(Session)).query(({ ctx }) => listSessions(ctx.deps, ctx.session)),

  revokeSession: authedProcedure.input(RevokeSession).mutation(async ({ ctx, input }) => {
    await endOwnSession(ctx.deps, ctx.session.userId, input.sessionId);
    return { success: true as const };
  }),

  /** Keeps an open socket alive past its first token: the client hands over a newer one of the same session. */
  extend: authedProcedure.input(Extend).mutation(async ({ ctx, input }) => {
    const { session, refused } = await authenticate(ctx.deps, input.token);
    if (session === null) throw new ParleyError('UNAUTHORIZED', refused);
    if (ctx.connection !== null && !ctx.connection.extend(session))
      throw new ParleyError('UNAUTHORIZED', 'not_signed_in');
    return { accessTokenExpiresAt: new Date(session.expiresAt).toISOString() };
  }),
} satisfies TRPCRouterRecord;
