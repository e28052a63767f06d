/** The one place where an error becomes wire data. What is not listed here leaves as "internal error" and an id for the log. */
import { randomUUID } from 'node:crypto';
import { TRPCError } from '@trpc/server';
import { getHTTPStatusCodeFromError } from '@trpc/server/http';
import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc';
import { z } from 'zod';
import { BASE64_ISSUE } from '#protocol/bytes';
import { ParleyError } from '#protocol/errors';
import { LIMITS } from '#protocol/limits';

export interface WireErrorData {
  code: TRPCError['code'];
  httpStatus: number;
  reason: string;
  /** zod's findings on BAD_REQUEST: where and what, never the value. */
  issues?: { path: PropertyKey[]; code: string; message: string }[];
  retryAfterMs?: number;
  limit?: number;
  /** Finds the error in the server's log. */
  errorId?: string;
}
export interface WireError {
  code: (typeof TRPC_ERROR_CODES_BY_KEY)[TRPCError['code']];
  message: string;
  data: WireErrorData;
}

type Parts = { code: TRPCError['code']; reason: string; message: string } & Omit<
  WireErrorData,
  'code' | 'httpStatus' | 'reason'
>;

/** What tRPC itself refuses. Its messages may quote the request, so ours stand in for them. */
const OWN_WORDS: Partial<Record<TRPCError['code'], [reason: string, message: string]>> = {
  PARSE_ERROR: ['invalid_input', 'the request is not well-formed'],
  BAD_REQUEST: ['invalid_input', 'the input is not valid'],
  UNAUTHORIZED: ['not_signed_in', 'not signed in'],
  NOT_FOUND: ['no_such_procedure', 'no such procedure'],
  METHOD_NOT_SUPPORTED: ['method_not_supported', 'queries are GET, mutations are POST'],
  UNSUPPORTED_MEDIA_TYPE: ['unsupported_media_type', 'send application/json'],
  UNPROCESSABLE_CONTENT: ['invalid_input', 'the frame is not text'],
  PAYLOAD_TOO_LARGE: ['too_large', 'the request is too large'],
  CLIENT_CLOSED_REQUEST: ['client_closed', 'the client went away'],
};

/** Postgres is away or asks to try again: connection errors, shutdown, deadlock, serialisation, cancelled by a timeout. Or a disk is full. */
const TRY_AGAIN =
  /^(ECONN.*|EPIPE|ENOSPC|EDQUOT|CONNECT_TIMEOUT|CONNECTION_.*|08...|57P0[123]|57014|53...|40001|40P01|55P03|25P0[34])$/;
/** The statement could not take a value, e.g. a NUL character in a text. The input was at fault. */
const BAD_VALUE = /^22...$/;

function databaseCode(error: unknown): string | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === 'string' && (TRY_AGAIN.test(code) || BAD_VALUE.test(code))) return code;
  }
  return null;
}

const ids = new WeakMap<object, string>();
/** The same id each time it is asked for the same error, so that log and answer agree whoever asks first. */
export function errorId(error: object): string {
  const known = ids.get(error) ?? randomUUID();
  ids.set(error, known);
  return known;
}

function parts(error: TRPCError): Parts {
  const cause: unknown = error.cause;
  if (cause instanceof ParleyError)
    return {
      code: cause.code,
      reason: cause.reason,
      message: cause.code === 'INTERNAL_SERVER_ERROR' ? 'internal error' : cause.message,
      ...(cause.retryAfterMs === undefined ? {} : { retryAfterMs: Math.ceil(cause.retryAfterMs) }),
      ...(cause.limit === undefined ? {} : { limit: cause.limit }),
      ...(cause.code === 'INTERNAL_SERVER_ERROR' ? { errorId: errorId(error) } : {}),
    };
  if (error.code === 'BAD_REQUEST' && cause instanceof z.ZodError) {
    const { issues } = cause;
    const malformed = issues.filter(({ message }) => message === BASE64_ISSUE).map(({ path }) => path.join());
    const isFormat = malformed.length > 0 && issues.every(({ path }) => malformed.includes(path.join()));
    const tooBig = issues.find((issue) => issue.code === 'too_big');
    return {
      code: error.code,
      reason: isFormat ? 'bad_format' : 'invalid_input',
      message: 'the input is not valid',
      issues: issues.slice(0, 20).map(({ path, code, message }) => ({ path, code, message })),
      ...(tooBig === undefined ? {} : { limit: Number(tooBig.maximum) }),
    };
  }
  if (error.code === 'BAD_REQUEST' && error.message === 'Batch call exceeds maximum size')
    return { code: error.code, reason: 'too_large', message: 'too many calls in a batch', limit: LIMITS.batch };
  if (error.code === 'INTERNAL_SERVER_ERROR') {
    const code = databaseCode(cause);
    if (code !== null && BAD_VALUE.test(code))
      return { code: 'BAD_REQUEST', reason: 'invalid_input', message: 'the input is not valid' };
    if (code !== null)
      return { code: 'SERVICE_UNAVAILABLE', reason: 'overloaded', message: 'try again', retryAfterMs: 1_000 };
  }
  const own = OWN_WORDS[error.code];
  if (own !== undefined) return { code: error.code, reason: own[0], message: own[1] };
  return { code: 'INTERNAL_SERVER_ERROR', reason: 'internal', message: 'internal error', errorId: errorId(error) };
}

export function toWireError(error: TRPCError): WireError {
  const { code, message, ...data } = parts(error);
  return {
    code: TRPC_ERROR_CODES_BY_KEY[code],
    message,
    data: { code, httpStatus: getHTTPStatusCodeFromError(new TRPCError({ code })), ...data },
  };
}
