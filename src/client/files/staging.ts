/**
 * Owns the sealing of one file ahead of its upload. A device that keeps things has all of it, sealed, as soon as it could be read, however
 * slow the network is; a program that keeps nothing seals as fast as it sends.
 */
import { PIECE_BYTES, piecesOf, pieceAt, pieceStart } from '#crypto/file-layout';
import type { SealJob } from '../keyring/files.ts';
import type { KeyringService } from '../worker/service.ts';

/** Pieces held in memory: a part of the upload takes two, and the next is sealed while it goes. */
const HELD = 3;

export class Staging {
  readonly job: SealJob;
  /** Resolves with the hash of the whole. Rejects with FILE_UNREADABLE. */
  readonly sealed: Promise<string>;
  readonly #keyring: KeyringService;
  readonly #file: Blob;
  readonly #isLasting: boolean;
  readonly #signal: AbortSignal;
  readonly #held = new Map<number, Uint8Array>();
  #next = 0;
  /** Pieces before this one are not wanted any more. */
  #wanted = 0;
  #changed = () => {};
  #change: Promise<void> = Promise.resolve();

  constructor(
    keyring: KeyringService,
    { conversationId, fileId, file }: { conversationId: string; fileId: string; file: Blob },
    { isLasting, signal }: { isLasting: boolean; signal: AbortSignal },
  ) {
    this.#keyring = keyring;
    this.#file = file;
    this.#isLasting = isLasting;
    this.#signal = signal;
    const place = { conversationId, fileId };
    this.job = { place, key: secret(32), salt: secret(24), length: file.size };
    this.#tell();
    signal.addEventListener('abort', () => this.#tell(), { once: true });
    this.sealed = this.#run();
    // Reported where it is awaited.
    this.sealed.catch(() => {});
  }

  /** A piece, once it is there. */
  async piece(piece: number): Promise<Uint8Array> {
    this.#wanted = Math.max(this.#wanted, piece);
    for (const held of this.#held.keys()) if (held < this.#wanted) this.#held.delete(held);
    this.#tell();
    while (this.#next <= piece) await Promise.race([this.#change, this.sealed]);
    const { fileId } = this.job.place;
    return (
      this.#held.get(piece) ??
      (await this.#keyring.keptPiece(fileId, piece)) ??
      (await this.#keyring.sealPiece(this.job, piece, this.#slice(piece)))
    );
  }

  async #run(): Promise<string> {
    const pieces = piecesOf(this.job.length);
    for (let piece = 0; piece < pieces; piece++) {
      while (!this.#isLasting && this.#held.size >= HELD && !this.#signal.aborted) await this.#change;
      this.#signal.throwIfAborted();
      const sealed = await this.#keyring.sealPiece(this.job, piece, this.#slice(piece));
      if (this.#held.size < HELD && piece >= this.#wanted) this.#held.set(piece, sealed);
      this.#next = piece + 1;
      this.#tell();
    }
    return this.#keyring.sealedHash(this.job);
  }

  #slice(piece: number): Blob {
    return this.#file.slice(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
  }

  #tell(): void {
    this.#changed();
    this.#change = new Promise((resolve) => {
      this.#changed = resolve;
    });
  }
}

/** Made here, because the message is shown with it at once; base64. The page holds no other cryptography. */
const secret = (length: number): string => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(length))));

/** The sealed bytes from `start` to `end`, excluded, put together from the pieces that hold them. */
export async function sealedBytes(
  { start, end }: { start: number; end: number },
  pieceOf: (piece: number) => Promise<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - start);
  for (let piece = pieceAt(start); pieceStart(piece) < end; piece++) {
    const begin = pieceStart(piece);
    const part = (await pieceOf(piece)).subarray(Math.max(0, start - begin), end - begin);
    bytes.set(part, Math.max(0, begin - start));
  }
  return bytes;
}
