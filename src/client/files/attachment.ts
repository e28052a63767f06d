/** Owns how files are written down inside a message, and what of it is believed when somebody else wrote it. */
import { PIECE_BYTES } from '#crypto/file-layout';
import type { FileView } from '../types.ts';

/** Inside the sealed payload, under `attachments`. A thumbnail is a file like any other. */
export interface Attachment {
  id: string;
  key: string;
  name: string;
  mime: string;
  size: number;
  /** Of the sealed file; empty until all of it is sealed. */
  sha256: string;
  voice?: true;
  w?: number;
  h?: number;
  /** Milliseconds. */
  duration?: number;
  blurhash?: string;
  waveform?: number[];
  alt?: string;
  thumb?: Attachment;
}

const MOST = { files: 32, name: 255, alt: 1_000, pixels: 100_000, durationMs: 24 * 3_600_000, waveform: 256 };
/** Beyond this nobody's browser gets: a number that only breaks sums. */
const MAX_SIZE = PIECE_BYTES * 1_000_000;
const SHOWN_AS_IMAGE = /^image\/(?:png|jpeg|gif|webp|avif)$/;
const MIME = /^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,100}$/;
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** 32 bytes. */
const KEY = /^[A-Za-z0-9+/]{43}=$/;
const BLURHASH = /^[0-9A-Za-z#$%*+,\-.:;=?@[\]^_{|}~]{6,100}$/;

/** All that have to reach the server before the message may. */
export const withThumbnails = (attachments: readonly Attachment[]): Attachment[] =>
  attachments.flatMap((one) => (one.thumb ? [one, one.thumb] : [one]));

/** What the message is mostly. */
export function kindOf(files: readonly Pick<FileView, 'kind'>[]): FileView['kind'] | 'text' {
  const [first] = files;
  if (!first) return 'text';
  return files.every(({ kind }) => kind === first.kind) ? first.kind : 'file';
}

/** Null when any of it makes no sense: half a message would be worse than none. */
export function readAttachments(conversationId: string, value: unknown): FileView[] | null {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MOST.files) return null;
  const files = value.map((one) => read(conversationId, one)).filter((one) => one !== null);
  // Each is shown once, so that one can go from one to the next.
  const ids = new Set(files.map(({ id }) => id));
  return ids.size < value.length ? null : files;
}

/** Shown in place of a picture, so it has to be one: never a document. */
function readThumbnail(conversationId: string, value: unknown): FileView | null {
  const thumbnail = read(conversationId, value, true);
  return thumbnail?.kind === 'image' ? thumbnail : null;
}

function read(conversationId: string, value: unknown, isThumbnail = false): FileView | null {
  if (typeof value !== 'object' || value === null) return null;
  const { id, key, name, mime, size, sha256, voice, w, h, duration, blurhash, waveform, alt, thumb } = value as Partial<
    Record<keyof Attachment, unknown>
  >;
  if (!isText(id, ID) || !isText(key, KEY) || typeof sha256 !== 'string') return null;
  if (typeof name !== 'string' || !isCount(size, MAX_SIZE)) return null;
  const type = isText(mime, MIME) ? mime : 'application/octet-stream';
  const levels =
    Array.isArray(waveform) && waveform.length <= MOST.waveform && waveform.every((one) => isCount(one, 100));
  return {
    id,
    conversationId,
    kind: voice === true && type.startsWith('audio/') ? 'voice' : SHOWN_AS_IMAGE.test(type) ? 'image' : 'file',
    name: cleanName(name),
    mime: type,
    size,
    width: isCount(w, MOST.pixels) && w > 0 ? w : null,
    height: isCount(h, MOST.pixels) && h > 0 ? h : null,
    durationMs: isCount(duration, MOST.durationMs) ? duration : null,
    blurhash: isText(blurhash, BLURHASH) ? blurhash : null,
    waveform: levels ? (waveform as number[]) : null,
    alt: typeof alt === 'string' && alt !== '' ? alt.slice(0, MOST.alt) : null,
    thumbnail: thumb === undefined || isThumbnail ? null : readThumbnail(conversationId, thumb),
    key,
    sha256,
  };
}

/** For an edit, which says everything again. */
export function writeAttachment(file: FileView): Attachment {
  const { id, key, name, mime, size, sha256, kind, width, height, durationMs, blurhash, waveform, alt } = file;
  return {
    id,
    key,
    name,
    mime,
    size,
    sha256,
    ...(kind === 'voice' ? { voice: true } : {}),
    ...(width === null ? {} : { w: width }),
    ...(height === null ? {} : { h: height }),
    ...(durationMs === null ? {} : { duration: durationMs }),
    ...(blurhash === null ? {} : { blurhash }),
    ...(waveform === null ? {} : { waveform: [...waveform] }),
    ...(alt === null ? {} : { alt }),
    ...(file.thumbnail === null ? {} : { thumb: writeAttachment(file.thumbnail) }),
  };
}

/** Names come from strangers: no paths, nothing invisible, and no turning of the direction that hides how it ends. */
export function cleanName(name: string): string {
  const plain = name
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, '')
    .replaceAll(/[/\\]/g, '_')
    .trim();
  const [, stem = plain, ending = ''] = /^(.*?)(\.[^.]{1,16})?$/su.exec(plain) ?? [];
  return `${[...stem].slice(0, MOST.name - ending.length).join('')}${ending}` || 'file';
}

const isText = (value: unknown, form: RegExp): value is string => typeof value === 'string' && form.test(value);
const isCount = (value: unknown, most: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
