/**
 * Owns the sealing and opening of files: one chunked box each (cobblestone.ts) under a key of its own, padded like everything else,
 * worked through in pieces, so that neither side ever holds the whole. Formats: docs/crypto.md, "Files".
 */
import { primitives } from '#crypto/primitives';
import { type Bytes, bytesEqual, concat } from './bytes.ts';
import { BOX_HEADER_BYTES, CHUNK_BYTES, paddedLength, SALT_BYTES, SEALED_CHUNK_BYTES } from './chunks.ts';
import { type BoxKeys, deriveBoxKeys, importSealKey, openChunk, sealChunk } from './cobblestone.ts';
import { CryptoError } from './error.ts';
import { type FileRange, PIECE_BYTES, PIECE_CHUNKS } from './file-layout.ts';
import type { RunningHash } from './primitives.types.ts';
import { Writer } from './wire.ts';

/** A file can only be opened as what it was sealed as: swapped for another one, it fails. */
export interface FilePlace {
  conversationId: string;
  fileId: string;
}

/** 32 and 24 random bytes. The key travels inside the message; `salt` is the beginning of the box, known to its maker before there is one. */
export interface FileSecret {
  key: Bytes;
  salt: Bytes;
}

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
    const length = Math.min(PIECE_BYTES, this.#padded - begin);
    const isLast = begin + PIECE_BYTES > this.#padded;
    const chunks = isLast ? Math.floor(length / CHUNK_BYTES) + 1 : PIECE_CHUNKS;
    const padded = content.length === length ? content : padTo(content, length);
    const header = piece === 0 ? [this.#salt, this.#keys.commitment] : [];
    return gathered(header, chunks, (i) =>
      sealChunk(this.#keys, piece * PIECE_CHUNKS + i, padded.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES)),
    );
  }
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
    return gathered([], chunks, (i) =>
      openChunk(this.#keys, first + i, sealed.subarray(i * SEALED_CHUNK_BYTES, (i + 1) * SEALED_CHUNK_BYTES)),
    );
  }
}

function padTo(content: Uint8Array, length: number): Bytes {
  const padded = new Uint8Array(length);
  padded.set(content);
  return padded;
}

/** All at once, in their order. */
async function gathered(header: Bytes[], chunks: number, work: (i: number) => Promise<Bytes>): Promise<Bytes> {
  return concat(...header, ...(await Promise.all(Array.from({ length: chunks }, (_, i) => work(i)))));
}

/** SHA-256 over a sealed file. It tells apart what key and place cannot: two files that one person has sealed under one key. */
export const newFileHash = async (): Promise<RunningHash> => primitives.newSha256();

function context({ conversationId, fileId }: FilePlace): Bytes {
  return new Writer().label('att').id(conversationId).id(fileId).end();
}
