/** Who listens to a subscription, over which connection, until when. */
import type { Session } from '../auth/tokens.ts';
import type { Context } from '../context.ts';
import type { Line } from '../feed/line.ts';
import type { Watcher } from '../feed/signals.ts';

/** `ctx.signal` also ends with the session (subscription.ts); tRPC's own only with the request. */
export const watcherOf = (
  ctx: Context & { session: Session; line: Line | null },
  signal: AbortSignal | undefined,
): Watcher => ({
  userId: ctx.session.userId,
  connection: ctx.connection,
  line: ctx.line,
  signal: ctx.signal ?? signal ?? new AbortController().signal,
});
