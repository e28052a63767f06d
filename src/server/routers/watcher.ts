/** A subscription's watcher (feed/watcher.ts), from its context. */
import type { Session } from '../auth/tokens.ts';
import type { Context } from '../context.ts';
import type { Line } from '../feed/line.ts';
import type { Watcher } from '../feed/watcher.ts';

/** `ctx.signal` also ends with the session (subscription.ts); tRPC's own only with the request. */
export const watcherOf = (
  ctx: Context & { session: Session; line: Line | null },
  signal: AbortSignal | undefined,
): Watcher => ({
  userId: ctx.session.userId,
  connection: ctx.connection,
  line: ctx.line,
  signal: ctx.signal ?? signal,
});
