/** tRPC, set up once: the ladder of procedures, the wire form of errors, and what is counted and limited on every call. */
import { initTRPC, TRPCError } from '@trpc/server';
import { ParleyError } from '#protocol/errors';
import type { Session } from './auth/tokens.ts';
import type { Context } from './context.ts';
import { Line } from './feed/line.ts';
import { isIterable, lifeOf, Living } from './subscription.ts';
import { toWireError } from './wire-error.ts';

const t = initTRPC.context<Context>().create({
  // Otherwise stacks leave wherever NODE_ENV is not "production".
  isDev: false,
  errorFormatter: ({ error }) => toWireError(error),
});

/** Per socket. A page of a chat needs a handful of subscriptions, and one call at a time for each thing that happens. */
const SUBSCRIPTIONS = 32;
const CALLS_IN_FLIGHT = 256;

/** Domain errors get their tRPC code here; everything else passes as it is. */
function translate(error: TRPCError): TRPCError {
  if (error.cause instanceof ParleyError && error.cause.code !== error.code)
    return new TRPCError({ code: error.cause.code, message: error.cause.message, cause: error.cause });
  return error;
}

/**
 * One middleware for all that every call needs: tRPC copies its options, and the context, at each level.
 * @param admit the session to go on with. @throws ParleyError when there has to be one
 */
const measured = <S extends Session | null>(admit: (ctx: Context) => S) =>
  t.procedure.use(async function measure({ ctx, path, type, signal, next }) {
    const { metrics, limits, cursors } = ctx.deps;
    const subscribes = type === 'subscription';
    const leave = enter(ctx, path, type);
    const began = performance.now();
    const given = signal ?? ctx.signal;
    const life = subscribes ? lifeOf(ctx, given) : null;
    let goesOn = false;
    try {
      if (ctx.session) await limits.take('calls', ctx.session.userId);
      const { connection, answerHead } = ctx;
      const session = admit(ctx);
      const line =
        connection && session && answerHead !== null
          ? new Line(connection, answerHead, cursors.tag(session.userId))
          : null;
      // From here on it is the session of this call, whatever becomes of the socket's.
      const result = await next({ ctx: inCall(ctx, { session, signal: life?.signal ?? given, line }) });
      metrics.calls.inc({ path, type, outcome: result.ok ? 'ok' : translate(result.error).code });
      if (!result.ok) throw translate(result.error);
      ctx.connection?.mindUnread();
      if (!subscribes || !isIterable(result.data)) return result;
      goesOn = true;
      return { ...result, data: new Living(result.data, life, leave) };
    } catch (error) {
      // Refused before it was called.
      if (error instanceof ParleyError) metrics.calls.inc({ path, type, outcome: error.code });
      throw error;
    } finally {
      if (!subscribes) metrics.callSeconds.observe({ path, type }, (performance.now() - began) / 1_000);
      if (!goesOn) {
        life?.end();
        leave();
      }
    }
  });

/** The whole of it written out: a copy of what has been is most of what a small call costs. */
const inCall = <S>(
  { deps, refused, address, userAgent, cookies, crossSite, connection, answerHead }: Context,
  { session, signal, line }: { session: S; signal: AbortSignal | undefined; line: Line | null },
) => ({ deps, refused, address, userAgent, cookies, crossSite, connection, answerHead, session, signal, line });

/** Counts a call or subscription in, before anything is awaited: many may arrive in one tick. @returns the way out, once. */
function enter({ connection, deps }: Context, path: string, type: string): () => void {
  const subscribes = type === 'subscription';
  const [count, limit] = subscribes
    ? (['subscriptions', SUBSCRIPTIONS] as const)
    : (['calls', CALLS_IN_FLIGHT] as const);
  if (connection && connection[count] >= limit)
    throw new ParleyError('TOO_MANY_REQUESTS', 'rate_limited', { retryAfterMs: 1_000, limit });
  if (connection) connection[count]++;
  if (subscribes) deps.metrics.subscriptions.inc({ path });
  let inside = true;
  return () => {
    if (!inside) return;
    inside = false;
    if (connection) connection[count]--;
    if (subscribes) deps.metrics.subscriptions.dec({ path });
  };
}

export const router = t.router;
export const createCallerFactory = t.createCallerFactory;
export const publicProcedure = measured((ctx) => ctx.session);
/** Narrows `ctx.session`: UNAUTHORIZED with the reason when there is none. */
export const authedProcedure = measured((ctx): Session => {
  if (ctx.session === null) throw new ParleyError('UNAUTHORIZED', ctx.refused);
  return ctx.session;
});
