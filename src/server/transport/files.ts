/**
 * `/files/:id`: ciphertext in and out, as a stream, on Node's own request and response. What the caller may not have, does not
 * exist: one answer for all of it (P21, P27).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { TRPCError } from '@trpc/server';
import { notFound, ParleyError } from '#protocol/errors';
import { UPLOAD_LENGTH, UPLOAD_OFFSET } from '#protocol/file';
import type { Session } from '../auth/tokens.ts';
import { authenticate } from '../context.ts';
import type { Deps } from '../deps.ts';
import { accessDownload, accessUpload, type FileRow } from '../domain/files.ts';
import { OffsetStale, progress, receive } from '../domain/uploads.ts';
import { Missing } from '../files/storage.ts';
import { toWireError } from '../wire-error.ts';
import { bearerOf } from './bearer.ts';
import { parseRange } from './range.ts';
import { reportCallError } from './report.ts';
import type { ServerState } from './state.ts';

const PATH = /^\/files\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
/** A body that says nothing for so long is given up, and a reader that takes nothing. */
const SILENCE_MS = 30_000;
/** What is read and thrown away of a body that was refused, so that the answer is not lost with the connection. */
const REFUSED_BYTES = 16 * 1024 * 1024;
/** Transfers of one person at once, in this process. */
const AT_ONCE = 64;

const HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};
/** Ciphertext never changes. Another person at the same browser must not get it from the cache. */
const OF_A_FILE = {
  'accept-ranges': 'bytes',
  'cache-control': 'private, immutable, max-age=31536000',
  'content-disposition': 'attachment',
  'content-type': 'application/octet-stream',
  vary: 'authorization',
};

type Call = { deps: Deps; session: Session; id: string; request: IncomingMessage; response: ServerResponse };

export const isFileRequest = (request: IncomingMessage) => request.url?.startsWith('/files/') === true;

/** The way of requests for which `isFileRequest`. */
export function createFiles(deps: Deps, state: ServerState) {
  const running = new Map<string, number>();
  const methods: Record<string, (call: Call) => Promise<void>> = { GET: get, HEAD: head, PUT: put };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { session, refused } = await authenticate(deps, bearerOf(request.headers.authorization));
    if (session === null) throw new ParleyError('UNAUTHORIZED', refused);
    const { userId } = session;
    await deps.limits.take('files', userId);
    const now = running.get(userId) ?? 0;
    if (now >= AT_ONCE)
      throw new ParleyError('TOO_MANY_REQUESTS', 'rate_limited', { retryAfterMs: 1_000, limit: AT_ONCE });
    running.set(userId, now + 1);
    try {
      const id = PATH.exec(request.url ?? '')?.[1];
      const method = methods[request.method ?? ''];
      if (id === undefined || method === undefined) throw notFound();
      await method({ deps, session, id, request, response });
    } finally {
      const left = (running.get(userId) ?? 1) - 1;
      if (left > 0) running.set(userId, left);
      else running.delete(userId);
    }
  };

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (deps.env.publicUrl.startsWith('https:')) response.setHeader('strict-transport-security', 'max-age=31536000');
    if (state.draining) response.setHeader('connection', 'close');
    try {
      await serve(request, response);
    } catch (error) {
      refuse({ deps, request, response }, error);
    }
  };
}

async function put({ deps, session, id, request, response }: Call): Promise<void> {
  const at = request.headers[UPLOAD_OFFSET];
  if (typeof at !== 'string' || !/^\d{1,15}$/.test(at)) throw new ParleyError('BAD_REQUEST', 'invalid_input');
  const declared = request.headers['content-length'];
  const offset = await receive(deps, session.userId, id, {
    at: Number(at),
    length: declared === undefined ? null : Number(declared),
    body: (signal) => arriving(deps, request, signal),
  });
  response.writeHead(204, { [UPLOAD_OFFSET]: offset }).end();
}

async function* arriving(deps: Deps, request: IncomingMessage, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const cut = () => request.destroy();
  signal.addEventListener('abort', cut);
  if (signal.aborted) cut();
  let silence = setTimeout(cut, SILENCE_MS);
  try {
    // Given up in the middle, it stays open: there is an answer to give.
    for await (const bytes of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      // Only its own silence counts, not the time that the store takes.
      clearTimeout(silence);
      deps.metrics.fileBytes.inc({ direction: 'in' }, bytes.length);
      yield bytes;
      silence = setTimeout(cut, SILENCE_MS);
    }
  } finally {
    clearTimeout(silence);
    signal.removeEventListener('abort', cut);
  }
}

async function head({ deps, session, id, response }: Call): Promise<void> {
  const upload = await accessUpload(deps.db, session.userId, id).catch(notFoundIs(null));
  if (upload !== null) {
    const offset = await progress(deps, upload);
    response.setHeader(UPLOAD_OFFSET, offset).setHeader(UPLOAD_LENGTH, upload.size);
    if (offset < upload.size) {
      response.writeHead(204, { 'cache-control': 'no-store' }).end();
      return;
    }
  }
  const { size } = await accessDownload(deps.db, session.userId, id);
  response.writeHead(200, { ...OF_A_FILE, 'content-length': size }).end();
}

const notFoundIs =
  <T>(value: T) =>
  (error: unknown): T => {
    if (error instanceof ParleyError && error.code === 'NOT_FOUND') return value;
    throw error;
  };

async function get({ deps, session, id, request, response }: Call): Promise<void> {
  const file = await accessDownload(deps.db, session.userId, id);
  // We give no validators, so whatever `If-Range` names is not what is here (RFC 9110, 13.1.5).
  const wanted = request.headers['if-range'] === undefined ? request.headers.range : undefined;
  const range = parseRange(wanted, file.size);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${file.size}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: file.size - 1 };
  const body = await open(deps, file, start, end);
  response.writeHead(range ? 206 : 200, {
    ...OF_A_FILE,
    'content-length': end - start + 1,
    ...(range && { 'content-range': `bytes ${start}-${end}/${file.size}` }),
  });
  response.setTimeout(SILENCE_MS, () => response.destroy());
  body.on('data', (bytes: Buffer) => deps.metrics.fileBytes.inc({ direction: 'out' }, bytes.length));
  await pipeline(body, response);
}

async function open({ files, log }: Deps, file: FileRow, start: number, end: number) {
  try {
    return await files.storage.read(file.id, start, end);
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    log.error({ file: file.id }, 'files: the bytes of a file are missing');
    throw notFound();
  }
}

function refuse({ deps, request, response }: Pick<Call, 'deps' | 'request' | 'response'>, cause: unknown): void {
  // Cut by the other side, or by a newer request for the same upload: there is nobody to answer.
  if (request.destroyed && !request.complete) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const code = cause instanceof ParleyError ? cause.code : 'INTERNAL_SERVER_ERROR';
  const error = new TRPCError({ code, cause });
  reportCallError(deps.log, { error, path: 'files' });
  const wire = toWireError(error);
  if (cause instanceof OffsetStale) response.setHeader(UPLOAD_OFFSET, cause.offset);
  if (wire.data.retryAfterMs !== undefined)
    response.setHeader('retry-after', Math.ceil(wire.data.retryAfterMs / 1_000));
  const body = request.method === 'HEAD' ? '' : JSON.stringify({ error: wire });
  throwAway(request);
  response
    .writeHead(wire.data.httpStatus, {
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    })
    .end(body);
}

function throwAway(request: IncomingMessage): void {
  let left = REFUSED_BYTES;
  const silence = setTimeout(() => request.destroy(), SILENCE_MS);
  request.on('data', (bytes: Buffer) => {
    left -= bytes.length;
    if (left < 0) request.destroy();
  });
  request.on('error', () => {});
  request.on('close', () => clearTimeout(silence));
  request.resume();
}
