/** Owns the encoding of records: big-endian integers, 16-byte ids, length-prefixed strings; one value, one byte string. */
import { bytesEqual, type Bytes, concat, copy, utf8, uuidFromBytes, uuidToBytes } from './bytes.ts';
import { CryptoError } from './error.ts';

const DOMAIN = 'parley-e2ee/v1/';
const U32_MAX = 0xffff_ffff;

/** The text that separates one use of a key or hash from every other. */
export const label = (purpose: string): string => DOMAIN + purpose;

export class Writer {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): this {
    return this.#integer(value, 1, 0xff, (view) => view.setUint8(0, value));
  }

  u32(value: number): this {
    return this.#integer(value, 4, U32_MAX, (view) => view.setUint32(0, value));
  }

  u64(value: number): this {
    return this.#integer(value, 8, Number.MAX_SAFE_INTEGER, (view) => view.setBigUint64(0, BigInt(value)));
  }

  id(uuid: string): this {
    this.#parts.push(uuidToBytes(uuid));
    return this;
  }

  fixed(bytes: Uint8Array, length: number): this {
    if (bytes.length !== length) throw new CryptoError('BAD_FORMAT', `expected ${length} bytes`);
    this.#parts.push(bytes);
    return this;
  }

  /** Length-prefixed, so that neighbouring fields cannot trade bytes. */
  bytes(value: Uint8Array): this {
    this.u32(value.length);
    this.#parts.push(value);
    return this;
  }

  text(value: string): this {
    return this.bytes(utf8(value));
  }

  label(purpose: string): this {
    return this.text(label(purpose));
  }

  end(): Bytes {
    return concat(...this.#parts);
  }

  #integer(value: number, width: number, max: number, set: (view: DataView) => void): this {
    if (!Number.isSafeInteger(value) || value < 0 || value > max) throw new CryptoError('BAD_FORMAT', 'integer');
    const field = new Uint8Array(width);
    set(new DataView(field.buffer));
    this.#parts.push(field);
    return this;
  }
}

export class Reader {
  readonly #source: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(source: Uint8Array) {
    this.#source = source;
    this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  u64(): number {
    const value = this.#view.getBigUint64(this.#advance(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new CryptoError('BAD_FORMAT', 'integer');
    return Number(value);
  }

  id(): string {
    const start = this.#advance(16);
    return uuidFromBytes(this.#source.subarray(start, start + 16));
  }

  fixed(length: number): Bytes {
    const start = this.#advance(length);
    return copy(this.#source.subarray(start, start + length));
  }

  /** The label must stand here: bytes made for one purpose are refused for any other. */
  label(purpose: string): void {
    const expected = utf8(label(purpose));
    if (this.u32() !== expected.length || !bytesEqual(this.fixed(expected.length), expected)) {
      throw new CryptoError('BAD_FORMAT', 'label');
    }
  }

  end(): void {
    if (this.#offset !== this.#source.length) throw new CryptoError('BAD_FORMAT', 'trailing bytes');
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (start + length > this.#source.length) throw new CryptoError('BAD_FORMAT', 'truncated');
    this.#offset += length;
    return start;
  }
}
