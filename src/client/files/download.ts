/** Owns getting files back: fetched in pieces, so that a lost connection costs one of them, and opened and checked beside the keys. */
import {
  BOX_HEADER_BYTES,
  CHUNK_BYTES,
  type FileRange,
  pieceRange,
  piecesOf,
  rangeOf,
  sealedFileLength,
} from '#crypto/file-layout';
import type { Bytes } from '#crypto/verify';
import { platform } from '#client/platform';
import { backoffMs, sleep } from '../backoff.ts';
import type { Context } from '../context.ts';
import { inSdkWords, isTransient, SdkError } from '../errors.ts';
import type { FileView, Progress } from '../types.ts';

/** Of each piece, in a row. */
const ATTEMPTS = 8;
/** Nothing has come for this long: the connection is dead. However slow, one that moves is not. */
const STALL_MS = 30_000;
/** While one is opened the next is on its way. */
const AHEAD = 2;
/** Headers of files that are read here and there. */
const HEADERS = 64;

interface Wish {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

export class Downloads {
  readonly #context: Context;
  readonly #headers = new Map<string, Promise<Bytes>>();

  constructor(context: Context) {
    this.#context = context;
  }

  async fetchFile(file: FileView, { onProgress, signal }: Wish = {}): Promise<Blob> {
    const pieces = piecesOf(file.size);
    const total = sealedFileLength(file.size);
    const end = this.#end(signal);
    const reading = crypto.randomUUID();
    const under: Promise<Bytes>[] = [];
    const fetchPiece = (piece: number) => {
      const range = pieceRange(piece, file.size);
      // The first one brings the header with it.
      const fetching = this.#fetch(file, piece === 0 ? { ...range, start: 0 } : range, end);
      fetching.catch(() => {});
      under.push(fetching);
    };
    for (let piece = 0; piece < Math.min(AHEAD, pieces); piece++) fetchPiece(piece);
    let header: Bytes | undefined;
    const parts: Blob[] = [];
    for (let piece = 0; piece < pieces; piece++) {
      let sealed = await (under.shift() as Promise<Bytes>);
      if (piece + AHEAD < pieces) fetchPiece(piece + AHEAD);
      header ??= sealed.slice(0, BOX_HEADER_BYTES);
      if (piece === 0) sealed = sealed.subarray(BOX_HEADER_BYTES);
      const opened = await inSdkWords(this.#context.keyring.openPiece(jobOf(file, header), { reading, piece }, sealed));
      // Browsers put blobs where they do not count as memory of the page.
      parts.push(new Blob([opened]));
      onProgress?.({ done: Math.min(pieceRange(piece, file.size).end, total), total });
    }
    return new Blob(parts, { type: file.mime });
  }

  async readFile(file: FileView, { start, end, signal }: { start: number; end: number; signal?: AbortSignal }) {
    const last = Math.min(end, file.size);
    if (start < 0 || start >= last) throw new SdkError('BAD_REQUEST', 'bad_range');
    const over = this.#end(signal);
    const range = rangeOf(start, last, file.size);
    const [header, sealed] = await Promise.all([this.#header(file), this.#fetch(file, range, over)]);
    const opened = await inSdkWords(this.#context.keyring.openRange(jobOf(file, header), range, sealed));
    const from = start - range.first * CHUNK_BYTES;
    return opened.subarray(from, from + last - start);
  }

  #header(file: FileView): Promise<Bytes> {
    const known = this.#headers.get(file.id);
    if (known) return known;
    const header = this.#fetch(file, { first: 0, start: 0, end: BOX_HEADER_BYTES }, this.#context.signal);
    const [oldest] = this.#headers.keys();
    if (oldest !== undefined && this.#headers.size >= HEADERS) this.#headers.delete(oldest);
    this.#headers.set(file.id, header);
    header.catch(() => this.#headers.delete(file.id));
    return header;
  }

  #end(signal?: AbortSignal): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#context.signal]) : this.#context.signal;
  }

  async #fetch(file: FileView, range: FileRange, signal: AbortSignal): Promise<Bytes> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(file, range, signal);
      } catch (error) {
        if (signal.aborted) throw new SdkError('CLOSED', 'cancelled', { cause: error });
        if (!isTransient(error) || attempt + 1 >= ATTEMPTS) throw error;
        await sleep(Math.max(error.retryAfterMs ?? 0, backoffMs(attempt)), signal);
        const { connection } = this.#context;
        if (!connection.isOnline) await connection.whenOnline(signal);
      }
    }
  }

  async #attempt({ id }: FileView, { start, end }: FileRange, signal: AbortSignal): Promise<Bytes> {
    const { road } = this.#context;
    const headers = { authorization: `Bearer ${await road.token()}`, range: `bytes=${start}-${end - 1}` };
    const stalled = platform.newEnd();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const moved = () => {
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(), STALL_MS);
    };
    moved();
    try {
      const over = AbortSignal.any([signal, stalled.signal]);
      const response = await fetch(`${road.url}/files/${id}`, { headers, signal: over }).catch(broken);
      if (response.status !== 206) throw refusal(response.status);
      return await exactly(end - start, response, moved);
    } finally {
      clearTimeout(timer);
      // What is left of an answer that nobody wants is not waited for.
      stalled.abort();
    }
  }
}

const broken = (cause: unknown): never => {
  throw new SdkError('NETWORK', 'network', { cause });
};

function refusal(status: number): SdkError {
  if (status === 404) return new SdkError('NOT_FOUND', 'not_found');
  // The file ends before it should: it is not the one that was sent.
  if (status === 416) return new SdkError('CRYPTO', 'FILE_CHANGED');
  return new SdkError(status === 429 ? 'TOO_MANY_REQUESTS' : 'NETWORK', `download_${status}`);
}

/** More or fewer bytes than were asked for are another file's. */
async function exactly(length: number, response: Response, moved: () => void): Promise<Bytes> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  const reader = response.body?.getReader();
  for (let next = await reader?.read().catch(broken); next?.value; next = await reader?.read().catch(broken)) {
    moved();
    if (filled + next.value.length > length) throw new SdkError('CRYPTO', 'FILE_CHANGED');
    bytes.set(next.value, filled);
    filled += next.value.length;
  }
  if (filled < length) throw new SdkError('CRYPTO', 'FILE_CHANGED');
  return bytes;
}

const jobOf = ({ id, conversationId, key, size, sha256 }: FileView, header: Bytes) => ({
  place: { conversationId, fileId: id },
  key,
  length: size,
  sha256,
  header,
});
