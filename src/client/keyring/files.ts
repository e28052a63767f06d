/** Owns files on the side of the keys: sealing them piece by piece, keeping sealed pieces until they are sent, opening what was fetched. */
import { type FileRange, PIECE_BYTES, pieceRange, piecesOf } from '#crypto/file-layout';
import { FileOpener, type FilePlace, FileSealer, newFileHash, type RunningHash } from '#crypto/index';
import { type Bytes, fromBase64, toBase64 } from '#crypto/verify';
import type { Device } from './device.ts';
import { KeyringError } from './error.ts';

export interface SealJob {
  place: FilePlace;
  /** base64, like all secrets that travel inside messages. */
  key: string;
  salt: string;
  /** Of the file itself, in bytes. */
  length: number;
}

export interface OpenJob {
  place: FilePlace;
  key: string;
  length: number;
  sha256: string;
  /** The beginning of the sealed file. */
  header: Bytes;
}

interface Hashing {
  hash: RunningHash;
  /** The piece that comes next; pieces out of turn are not hashed. */
  next: number;
}

/** A piece of a file that is read from first to last. */
export interface Turn {
  /** Of this reading alone: the same file may be read several times at once. */
  reading: string;
  piece: number;
}

/** Readings that were given up leave the hash of what they had. Nobody has so many at once. */
const READINGS = 256;
const READING = 'reading';

/** Files that are being read here and there, such as a video; deriving their keys again costs little. */
const OPENERS = 16;

export class Files {
  readonly #device: Device;
  readonly #sealers = new Map<string, FileSealer>();
  readonly #openers = new Map<string, FileOpener>();
  /** Of files that are sealed, by file; of those that are read, by reading. */
  readonly #hashes = new Map<string, Hashing>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** Seals a piece and keeps it on a lasting device. Throws FILE_UNREADABLE when the file is not any more what it was. */
  async seal(job: SealJob, piece: number, content: Blob): Promise<Bytes> {
    const { fileId } = job.place;
    const expected = Math.max(0, Math.min(PIECE_BYTES, job.length - piece * PIECE_BYTES));
    const read = await content.arrayBuffer().catch(() => undefined);
    if (read?.byteLength !== expected) throw new KeyringError('FILE_UNREADABLE');
    const secret = { key: fromBase64(job.key), salt: fromBase64(job.salt) };
    const sealer = this.#sealers.get(fileId) ?? (await FileSealer.of(job.place, secret, job.length));
    this.#sealers.set(fileId, sealer);
    const sealed = await sealer.seal(piece, new Uint8Array(read));
    await this.#hash(fileId, piece, sealed);
    // A device that cannot keep it is no reason not to send it: it is sealed once more at its turn.
    if (this.#device.lasting) await this.#device.keepPiece(nameOf(fileId, piece), sealed).catch(() => {});
    return sealed;
  }

  /** base64 of the hash over all pieces, once they were sealed in their order. */
  sealedHash({ place: { fileId }, length }: SealJob): string {
    const hashing = this.#hashes.get(fileId);
    if (hashing?.next !== piecesOf(length)) throw new KeyringError('FILE_UNREADABLE');
    this.#sealers.delete(fileId);
    this.#hashes.delete(fileId);
    return toBase64(hashing.hash.digest());
  }

  /** Sealed in this page or in one before. */
  async kept(fileId: string, piece: number): Promise<Bytes | undefined> {
    return this.#device.piece(nameOf(fileId, piece));
  }

  async drop(fileIds: string[]): Promise<void> {
    for (const fileId of fileIds) {
      this.#sealers.delete(fileId);
      this.#hashes.delete(fileId);
    }
    await this.#device.dropPieces((name) => fileIds.some((fileId) => name.startsWith(`${fileId}/`)));
  }

  /** Pieces of files whose message was never kept, because the page was closed. */
  async dropOlder(than: string, but: string[]): Promise<void> {
    await this.#device.dropPieces((name) => name < than && !but.some((fileId) => name.startsWith(`${fileId}/`)));
  }

  async open(job: OpenJob, range: FileRange, sealed: Bytes): Promise<Bytes> {
    return (await this.#opener(job)).open(range, sealed);
  }

  /** From first to last: throws FILE_CHANGED with the last one when the whole is not what the message named. */
  async openPiece(job: OpenJob, { reading, piece }: Turn, sealed: Bytes): Promise<Bytes> {
    const { length, header, sha256 } = job;
    const range = pieceRange(piece, length);
    const opened = await this.open(job, range, sealed);
    const name = `${READING} ${reading}`;
    if (piece === 0) {
      this.#forgetReading();
      await this.#hash(name, -1, header);
    }
    await this.#hash(name, piece, sealed);
    if (piece === piecesOf(length) - 1) {
      const hashing = this.#hashes.get(name);
      this.#hashes.delete(name);
      const isWhole = hashing?.next === piecesOf(length) && toBase64(hashing.hash.digest()) === sha256;
      if (!isWhole) throw new KeyringError('FILE_CHANGED');
    }
    // Without its padding.
    return opened.subarray(0, Math.max(0, Math.min(opened.length, length - piece * PIECE_BYTES)));
  }

  forget(): void {
    this.#sealers.clear();
    this.#openers.clear();
    this.#hashes.clear();
  }

  async #opener({ place, key, header }: OpenJob): Promise<FileOpener> {
    const name = `${place.fileId} ${key} ${toBase64(header)}`;
    const known = this.#openers.get(name);
    if (known) return known;
    const opener = await FileOpener.of(place, fromBase64(key), header);
    const [oldest] = this.#openers.keys();
    if (oldest !== undefined && this.#openers.size >= OPENERS) this.#openers.delete(oldest);
    this.#openers.set(name, opener);
    return opener;
  }

  #forgetReading(): void {
    const readings = [...this.#hashes.keys()].filter((name) => name.startsWith(READING));
    const [oldest] = readings;
    if (oldest !== undefined && readings.length >= READINGS) this.#hashes.delete(oldest);
  }

  async #hash(name: string, piece: number, bytes: Bytes): Promise<void> {
    // A piece that is sealed once more, because it has to be sent once more, begins nothing anew.
    const isFirst = piece === -1 || (piece === 0 && !this.#hashes.has(name));
    if (isFirst) this.#hashes.set(name, { hash: await newFileHash(), next: piece });
    const hashing = this.#hashes.get(name);
    if (hashing?.next !== piece) return;
    hashing.hash.update(bytes);
    hashing.next++;
  }
}

/** UUIDs begin with the time they were made at, so names are in that order. */
const nameOf = (fileId: string, piece: number): string => `${fileId}/${String(piece).padStart(6, '0')}`;
