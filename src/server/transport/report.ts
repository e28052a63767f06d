/** Writes the errors nobody expected to the log, with the id the caller was given. Expected refusals are counted, not logged. */
import type { TRPCError } from '@trpc/server';
import type { Logger } from '../observe/log.ts';
import { errorId, toWireError } from '../wire-error.ts';

export function reportCallError(log: Logger, { error, path }: { error: TRPCError; path: string | undefined }): void {
  // A client's broken frame or connection, reported by `ws`: its own affair, and the socket is closing already.
  if (/^(WS_ERR_|ECONNRESET|EPIPE)/.test(String((error.cause as { code?: unknown } | undefined)?.code))) return;
  const { code } = toWireError(error).data;
  if (code === 'INTERNAL_SERVER_ERROR')
    log.error({ err: error.cause ?? error, path, errorId: errorId(error) }, 'call failed');
  else if (code === 'SERVICE_UNAVAILABLE') log.warn({ err: error.cause ?? error, path }, 'call could not be served');
}
