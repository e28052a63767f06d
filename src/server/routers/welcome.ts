/** What a device gets when somebody comes in: tokens or a cookie, and the sealed account. */
import type { LoggedIn, SignedIn } from '#protocol/auth';
import { ParleyError } from '#protocol/errors';
import type { Context } from '../context.ts';
import { findMe, loadAccount } from '../domain/accounts.ts';
import type { Issued, SessionKind } from '../domain/sessions.ts';

/** Cookies need an answer with headers, and must not be set for another site's page. Checked before anything is done. */
export function requireCookies(ctx: Context, kind: SessionKind): void {
  if (kind === 'cookie' && (ctx.cookies === null || ctx.crossSite))
    throw new ParleyError('BAD_REQUEST', 'invalid_input', {
      message: 'a cookie session begins over HTTP, on our own page',
    });
}

/** The tokens as the session's kind wants them: in the body for programs, in a cookie for browsers. */
export async function handOut(ctx: Context, issued: Issued): Promise<Omit<SignedIn, 'user'>> {
  const access = await ctx.deps.tokens.sign(issued.userId, issued.sessionId);
  const tokens = { accessToken: access.token, accessTokenExpiresAt: access.expiresAt.toISOString() };
  if (issued.kind === 'token') return { ...tokens, refreshToken: issued.refreshToken };
  ctx.cookies?.setRefreshToken(issued.refreshToken);
  return tokens;
}

export async function welcome(ctx: Context, issued: Issued): Promise<LoggedIn> {
  const [user, account, tokens] = await Promise.all([
    findMe(ctx.deps, issued.userId),
    loadAccount(ctx.deps, issued.userId),
    handOut(ctx, issued),
  ]);
  return { user, ...tokens, account };
}
