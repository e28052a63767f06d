/** Cuts off requests whose body is larger than its procedures may need, before it is read. */
import { TRPCError } from '@trpc/server';
import type { Context as HonoContext, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { ParleyError } from '#protocol/errors';
import { LIMITS } from '#protocol/limits';
import { toWireError } from '../wire-error.ts';

/** Those that carry an `epoch`: one wrapped key for each of up to 1,000 members. */
const WITH_EPOCH = new Set([
  'conversations.createDirect',
  'conversations.createGroup',
  'conversations.addParticipant',
  'conversations.removeParticipant',
  'conversations.setRole',
  'keys.rotate',
  'keys.rotateIdentity',
]);

const limitOf = (path: string): number =>
  path.split(',').some((name) => WITH_EPOCH.has(name)) ? LIMITS.epochBodyBytes : LIMITS.bodyBytes;

function tooLarge(c: HonoContext, limit: number): Response {
  const cause = new ParleyError('PAYLOAD_TOO_LARGE', 'too_large', { limit });
  return c.json({ error: toWireError(new TRPCError({ code: cause.code, cause })) }, 413);
}

/** @param prefix what comes before the procedure names in the path */
export function limitBody(prefix: string): MiddlewareHandler {
  return (c, next) => {
    const limit = limitOf(decodeURIComponentSafe(c.req.path.slice(prefix.length)));
    const declared = c.req.header('content-length');
    if (declared !== undefined && c.req.header('transfer-encoding') === undefined)
      return Number(declared) > limit ? Promise.resolve(tooLarge(c, limit)) : next();
    // Only chunked bodies have to be counted while they are read.
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    return bodyLimit({ maxSize: limit, onError: (refused) => tooLarge(refused, limit) })(c, next);
  };
}

function decodeURIComponentSafe(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
