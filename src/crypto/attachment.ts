/**
 * Owns the sealing and opening of files: one chunked box each (cobblestone.ts) under a key of its own, padded like everything else,
 * worked through in pieces, so that neither side ever holds the whole. Formats: docs/crypto.md, "Files".
 */
import { primitives } from '#crypto/primitives';
import { type Bytes, bytesEqual, concat, random } from './bytes.ts';
import { BOX_HEADER_BYTES, CHUNK_BYTES, SALT_BYTES, SEALED_CHUNK_BYTES, sealedLength } from './chunks.ts';
import { type BoxKeys, deriveBoxKeys, importSealKey, openChunk, sealChunk } from './cobblestone.ts';
import { CryptoError } from './error.ts';
import { paddedLength } from './padding.ts';
import type { RunningHash } from './primitives.types.ts';
import { Writer } from './wire.ts';

/** A file can only be opened as what it was sealed as: swapped for another one, it fails. */
export interface FilePlace {
  conversationId: string;
  fileId: string;
}

/** Travels inside the message; `salt` is the beginning of the box, known to its maker before there is one. */
export interface FileSecret {
  key: Bytes;
  salt: Bytes;
}

/** Some five megabytes: what is sealed, sent, fetched and opened at a time. */
const PIECE_CHUNKS = 320;
export const PIECE_BYTES = PIECE_CHUNKS * CHUNK_BYTES;

export const newFileSecret = (): FileSecret => ({ key: random(32), salt: random(SALT_BYTES) });

/** What a file of this many bytes takes on the server: padded and sealed. */
export const sealedFileLength = (length: number): number => sealedLength(paddedLength(length));

/** The last one may be empty: a box never ends with a full chunk. */
export const piecesOf = (length: number): number => Math.floor(paddedLength(length) / PIECE_BYTES) + 1;

/** Where a piece begins in the sealed file. */
export const pieceStart = (piece: number): number =>
  piece === 0 ? 0 : BOX_HEADER_BYTES + piece * PIECE_CHUNKS * SEALED_CHUNK_BYTES;

/** Which piece holds this byte of the sealed file. */
export const pieceAt = (offset: number): number =>
  Math.max(0, Math.floor((offset - BOX_HEADER_BYTES) / (PIECE_CHUNKS * SEALED_CHUNK_BYTES)));

export class FileSealer {
  readonly #keys: BoxKeys;
  readonly #salt: Bytes;
  readonly #padded: number;

  private constructor(keys: BoxKeys, salt: Bytes, length: number) {
    this.#keys = keys;
    this.#salt = salt;
    this.#padded = paddedLength(length);
  }

  /** The same secret and content make the same bytes, so that a broken upload can go on where it was. Never use one secret for two contents. */
  static async of(place: FilePlace, { key, salt }: FileSecret, length: number): Promise<FileSealer> {
    return new FileSealer(await deriveBoxKeys(await importSealKey(key), salt, context(place)), salt, length);
  }

  /** `content` is the file from `piece * PIECE_BYTES` on, to the end of the piece or of the file. */
  async seal(piece: number, content: Uint8Array): Promise<Bytes> {
    const begin = piece * PIECE_BYTES;
    const end = Math.min(begin + PIECE_BYTES, this.#padded);
    const padded = new Uint8Array(end - begin);
    padded.set(content);
    const isLast = begin + PIECE_BYTES > this.#padded;
    const chunks = isLast ? Math.floor(padded.length / CHUNK_BYTES) + 1 : PIECE_CHUNKS;
    const first = piece * PIECE_CHUNKS;
    const sealed = Array.from({ length: chunks }, (_, i) =>
      sealChunk(this.#keys, first + i, padded.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES)),
    );
    const header = piece === 0 ? [this.#salt, this.#keys.commitment] : [];
    return concat(...header, ...(await Promise.all(sealed)));
  }
}

/** Whole chunks, from `first` on: the bytes from `start` to `end`, excluded, of the sealed file. */
export interface FileRange {
  first: number;
  start: number;
  end: number;
}

const chunkStart = (chunk: number): number => BOX_HEADER_BYTES + chunk * SEALED_CHUNK_BYTES;

/** What of the sealed file has to be fetched to read the file from `start` to `end`, excluded. */
export function rangeOf(start: number, end: number, length: number): FileRange {
  const first = Math.floor(start / CHUNK_BYTES);
  const last = Math.max(first, Math.ceil(end / CHUNK_BYTES) - 1);
  return { first, start: chunkStart(first), end: Math.min(chunkStart(last + 1), sealedFileLength(length)) };
}

/** All pieces together are the whole sealed file but its header. */
export function pieceRange(piece: number, length: number): FileRange {
  const first = piece * PIECE_CHUNKS;
  return { first, start: chunkStart(first), end: Math.min(chunkStart(first + PIECE_CHUNKS), sealedFileLength(length)) };
}

export class FileOpener {
  readonly #keys: BoxKeys;

  private constructor(keys: BoxKeys) {
    this.#keys = keys;
  }

  /** `header` is the beginning of the sealed file. Throws DECRYPT when it is another file, or another key's. */
  static async of(place: FilePlace, key: Uint8Array, header: Uint8Array): Promise<FileOpener> {
    const keys = await deriveBoxKeys(await importSealKey(key), header.subarray(0, SALT_BYTES), context(place));
    const commitment = header.subarray(SALT_BYTES, BOX_HEADER_BYTES);
    if (!bytesEqual(keys.commitment, commitment)) throw new CryptoError('DECRYPT');
    return new FileOpener(keys);
  }

  /** Padding is part of what comes out. Throws DECRYPT for anything but exactly these chunks of this file. */
  async open({ first, start, end }: FileRange, sealed: Uint8Array): Promise<Bytes> {
    if (sealed.length !== end - start || sealed.length === 0) throw new CryptoError('DECRYPT');
    const chunks = Math.ceil(sealed.length / SEALED_CHUNK_BYTES);
    const opened = Array.from({ length: chunks }, (_, i) =>
      openChunk(this.#keys, first + i, sealed.subarray(i * SEALED_CHUNK_BYTES, (i + 1) * SEALED_CHUNK_BYTES)),
    );
    return concat(...(await Promise.all(opened)));
  }
}

/** SHA-256 over a sealed file. It tells apart what key and place cannot: two files that one person has sealed under one key. */
export const newFileHash = async (): Promise<RunningHash> => primitives.newSha256();

function context({ conversationId, fileId }: FilePlace): Bytes {
  return new Writer().label('att').id(conversationId).id(fileId).end();
}
