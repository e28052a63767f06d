/**
 * Owns bringing the files of unsent messages to the server: in parts, from where the server has got to, as often as it takes (P27). What
 * is under way shows in `signals.uploads`.
 */
import { platform } from '#client/platform';
import { sealedFileLength } from '#crypto/file-layout';
import { uuidv7 } from 'uuidv7';
import type { Context } from '../context.ts';
import { inSdkWords, SdkError } from '../errors.ts';
import { setUpload } from '../state/signals.ts';
import type { OutgoingFile } from '../types.ts';
import { type Attachment, cleanName, withThumbnails } from './attachment.ts';
import { sealedBytes, Staging } from './staging.ts';

/** Nothing was acknowledged and nothing moved for this long: the connection is dead. */
const STALL_MS = 30_000;
/** Screens show it a few times a second. */
const PROGRESS_MS = 100;
/** What pages that were closed too early have left. */
const LEFT_MS = 24 * 60 * 60 * 1_000;

interface Upload {
  end: AbortController;
  progress: { done: number; total: number };
  shownAt: number;
}

/** Files as they will be named in the message, and their hashes as soon as those are known. */
export interface Staged {
  attachments: Attachment[];
  sealed: Promise<Attachment[]>;
}

export class Uploads {
  readonly #context: Context;
  /** Of this page, by file. */
  readonly #stagings = new Map<string, { staging: Staging; end: AbortController }>();
  /** Under way, by message. */
  readonly #uploads = new Map<string, Upload>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Begins to seal them, in their order. */
  stage(conversationId: string, files: readonly OutgoingFile[], isLasting: boolean): Staged {
    const end = platform.newEnd();
    const signal = AbortSignal.any([this.#context.signal, end.signal]);
    const stagings: Promise<[string, string]>[] = [];
    const begin = (file: Blob): Staging => {
      const fileId = uuidv7();
      const staging = new Staging(this.#context.keyring, { conversationId, fileId, file }, { isLasting, signal });
      this.#stagings.set(fileId, { staging, end });
      stagings.push(staging.sealed.then((hash) => [fileId, hash]));
      return staging;
    };
    const attachments = files.map((outgoing) => describe(outgoing, begin));
    const sealed = inSdkWords(Promise.all(stagings)).then((hashes) => {
      const known = new Map(hashes);
      const named = (one: Attachment): Attachment => ({
        ...one,
        sha256: known.get(one.id) ?? '',
        ...(one.thumb ? { thumb: named(one.thumb) } : {}),
      });
      return attachments.map(named);
    });
    sealed.catch(() => {});
    return { attachments, sealed };
  }

  /** Resolves when the server has all of them. Two tabs that try it at once do it once. */
  async bring(message: { id: string; conversationId: string }, attachments: readonly Attachment[]): Promise<void> {
    const files = withThumbnails(attachments);
    if (files.length === 0) return;
    const total = files.reduce((sum, { size }) => sum + sealedFileLength(size), 0);
    const upload: Upload = { end: platform.newEnd(), progress: { done: 0, total }, shownAt: 0 };
    this.#uploads.set(message.id, upload);
    try {
      let before = 0;
      for (const file of files) {
        const bring = () => this.#bring(file, message, (done) => this.#show(message.id, upload, before + done));
        await this.#context.tabs.exclusively(`parley-upload/${file.id}`, bring);
        before += sealedFileLength(file.size);
      }
    } finally {
      this.#uploads.delete(message.id);
      this.#context.store.signal((state) => setUpload(state, message.id, null));
    }
  }

  isUnderWay(messageId: string): boolean {
    return this.#uploads.has(messageId);
  }

  /** Where it is. `bring` rejects with `paused`. */
  pause(messageId: string): void {
    this.#uploads.get(messageId)?.end.abort(new SdkError('CLOSED', 'paused'));
  }

  /** The message is stored, or will never be: nothing of its files stays on this device. */
  drop(messageId: string, attachments: readonly Attachment[], isSent: boolean): void {
    this.pause(messageId);
    const ids = withThumbnails(attachments).map(({ id }) => id);
    const ended: Promise<unknown>[] = [];
    for (const id of ids) {
      const staged = this.#stagings.get(id);
      staged?.end.abort(new SdkError('CLOSED', 'discarded'));
      ended.push(Promise.resolve(staged?.staging.sealed));
      this.#stagings.delete(id);
      // What it misses, the server sweeps up.
      if (!isSent) void this.#context.api.files.cancel.mutate({ id }).catch(() => {});
    }
    // The piece that is just being sealed is kept in a moment, and would stay.
    void Promise.allSettled(ended).then(() => this.#context.keyring.dropPieces(ids).catch(() => {}));
  }

  /** What no message that waits here needs any more. */
  async sweep(waiting: readonly Attachment[]): Promise<void> {
    const before = new Date(Date.now() - LEFT_MS);
    const ids = withThumbnails(waiting).map(({ id }) => id);
    await this.#context.keyring.dropOlderPieces(earliestId(before), ids);
  }

  async #bring(
    file: Attachment,
    message: { id: string; conversationId: string },
    onProgress: (done: number) => void,
  ): Promise<void> {
    const { api, signal: over, road } = this.#context;
    const upload = this.#uploads.get(message.id);
    if (!upload) throw new SdkError('CLOSED', 'discarded');
    const signal = AbortSignal.any([over, upload.end.signal]);
    // Also while it waits for what is still being sealed.
    const stopped = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    );
    stopped.catch(() => {});
    const size = sealedFileLength(file.size);
    const { id } = file;
    const create = { id, conversationId: message.conversationId, size };
    let { offset, partSize } = await inSdkWords(api.files.create.mutate(create, { signal }));
    while (offset < size) {
      signal.throwIfAborted();
      onProgress(offset);
      const range = { start: offset, end: Math.min(size, (Math.floor(offset / partSize) + 1) * partSize) };
      const body = await Promise.race([sealedBytes(range, (piece) => this.#piece(id, piece)), stopped]);
      const headers = { authorization: `Bearer ${await road.token()}`, 'upload-offset': String(offset) };
      signal.throwIfAborted();
      const answer = await platform.put(`${road.url}/files/${id}`, {
        headers,
        body,
        onProgress: (sent) => onProgress(range.start + sent),
        signal,
        stallMs: STALL_MS,
      });
      // Another attempt was faster, or the server has less than it had: it says where it is.
      const isKnown = answer.status === 204 || answer.status === 409;
      if (!isKnown || answer.offset === null) throw refusal(answer.status);
      // Nothing was gained: the next attempt asks where it is, and does not come at once.
      if (!(answer.offset > offset && answer.offset <= size)) throw new SdkError('NETWORK', 'upload_stuck');
      offset = answer.offset;
    }
    onProgress(size);
  }

  async #piece(fileId: string, piece: number): Promise<Uint8Array> {
    const staged = this.#stagings.get(fileId);
    if (staged) return inSdkWords(staged.staging.piece(piece));
    const kept = await this.#context.keyring.keptPiece(fileId, piece);
    if (!kept) throw new SdkError('CRYPTO', 'FILE_UNREADABLE');
    return kept;
  }

  #show(messageId: string, upload: Upload, done: number): void {
    const { total } = upload.progress;
    const now = Date.now();
    if (done < total && done > 0 && now - upload.shownAt < PROGRESS_MS) return;
    upload.shownAt = now;
    upload.progress = { done, total };
    this.#context.store.signal((state) => setUpload(state, messageId, upload.progress));
  }
}

function describe(outgoing: OutgoingFile, begin: (file: Blob) => Staging): Attachment {
  const { file, name, voice, width, height, durationMs, blurhash, waveform, alt, thumbnail } = outgoing;
  const { job } = begin(file);
  const thumb = thumbnail && describe({ ...thumbnail, name: 'thumbnail' }, begin);
  return {
    id: job.place.fileId,
    key: job.key,
    name: cleanName(name),
    mime: file.type.toLowerCase().split(';')[0]?.trim() || 'application/octet-stream',
    size: file.size,
    sha256: '',
    ...(voice ? { voice } : {}),
    ...(width === undefined ? {} : { w: width }),
    ...(height === undefined ? {} : { h: height }),
    ...(durationMs === undefined ? {} : { duration: Math.round(durationMs) }),
    ...(blurhash === undefined ? {} : { blurhash }),
    ...(waveform === undefined ? {} : { waveform: waveform.map(Math.round) }),
    ...(alt ? { alt } : {}),
    ...(thumb ? { thumb } : {}),
  };
}

function refusal(status: number): SdkError {
  if (status === 401) return new SdkError('UNAUTHORIZED', 'token_expired');
  if (status === 404) return new SdkError('NETWORK', 'upload_gone');
  if (status === 413) return new SdkError('PAYLOAD_TOO_LARGE', 'file_too_large');
  if (status === 429) return new SdkError('TOO_MANY_REQUESTS', 'rate_limited');
  return new SdkError(status >= 500 ? 'SERVICE_UNAVAILABLE' : 'BAD_REQUEST', `upload_${status}`);
}

/** No UUIDv7 of that time or later is smaller. */
const earliestId = (time: Date): string => {
  const hex = time.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
};
