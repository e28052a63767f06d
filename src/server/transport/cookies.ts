/** The refresh token's cookie: scripts cannot read it, other sites cannot send it, and only /trpc gets it. */
import type { Cookies } from '../context.ts';
import { REFRESH_TTL_S } from '../auth/limits.ts';

/** `__Host-` would forbid the narrow path, so the `__Secure-` prefix is the strongest that fits (RFC 6265bis section 4.1.3). */
const name = (secure: boolean) => (secure ? '__Secure-parley-refresh' : 'parley-refresh');

export function refreshCookie(request: Headers, response: Headers, publicUrl: string): Cookies {
  const secure = publicUrl.startsWith('https:');
  const prefix = `${name(secure)}=`;
  const found = request
    .get('cookie')
    ?.split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(prefix));
  return {
    refreshToken: found?.slice(prefix.length) || null,
    setRefreshToken(token) {
      const attributes = `Path=/trpc; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
      const age = token === null ? 0 : REFRESH_TTL_S;
      response.append('set-cookie', `${prefix}${token ?? ''}; Max-Age=${age}; ${attributes}`);
    },
  };
}
