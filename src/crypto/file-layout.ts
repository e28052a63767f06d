/** Owns where what of a file lies once it is sealed: a door without any cryptography behind it, for whoever moves the bytes. */
import { BOX_HEADER_BYTES, CHUNK_BYTES, paddedLength, SEALED_CHUNK_BYTES, sealedLength } from './chunks.ts';

export { BOX_HEADER_BYTES, CHUNK_BYTES } from './chunks.ts';

/** Five megabytes: what is sealed, sent, fetched and opened at a time. */
export const PIECE_CHUNKS = 320;
export const PIECE_BYTES = PIECE_CHUNKS * CHUNK_BYTES;

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
