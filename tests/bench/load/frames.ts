/** As little of RFC 6455 as a load generator needs: it counts what comes, and reads only what is not counted. */

const TEXT = 1;

/** A masked text frame. The mask is zero: the server undoes it all the same, and making it costs us nothing. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < 126 ? 2 : 4;
  const frame = Buffer.alloc(header + 4 + length);
  frame[0] = 0x80 | TEXT;
  if (header === 2) frame[1] = 0x80 | length;
  else {
    if (length > 0xffff) throw new RangeError('a frame of the load generator is at most 64 KB');
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  }
  frame.write(text, header + 4);
  return frame;
}

export interface Listener {
  /** Looks at the first bytes (16, or all) of a text frame. True: it is only counted, whole, by `counted`. */
  isCounted(bytes: Buffer, at: number, length: number): boolean;
  counted(): void;
  /** Any other text frame. */
  heard(text: string): void;
}

const LOOK = 16;

/** Cuts the stream of one connection into frames, whatever pieces it comes in. */
export class FrameReader {
  #rest: Buffer | null = null;
  /** Bytes of a counted frame that are still to come. */
  #skip = 0;
  readonly #listener: Listener;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** @param chunk may be reused by the caller afterwards. */
  read(chunk: Buffer): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    const end = bytes.length;
    let at = 0;
    while (at < end) {
      if (this.#skip > 0) {
        const taken = Math.min(this.#skip, end - at);
        this.#skip -= taken;
        at += taken;
        if (this.#skip === 0) this.#listener.counted();
        continue;
      }
      const next = this.#frame(bytes, at, end);
      if (next < 0) {
        this.#rest = Buffer.from(bytes.subarray(at));
        return;
      }
      at = next;
    }
  }

  /** @returns where the next frame (or what is skipped of this one) begins; -1 when more has to come first. */
  #frame(bytes: Buffer, at: number, end: number): number {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    if (short === 127) throw new RangeError('no server here sends frames over 64 KB');
    const begin = at + (short === 126 ? 4 : 2);
    if (end < begin) return -1;
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    if (end - begin < Math.min(length, LOOK)) return -1;
    const isText = ((bytes[at] ?? 0) & 0x0f) === TEXT;
    if (isText && this.#listener.isCounted(bytes, begin, length)) {
      this.#skip = length;
      return begin;
    }
    if (end - begin < length) return -1;
    if (isText) this.#listener.heard(bytes.toString('utf8', begin, begin + length));
    return begin + length;
  }
}
