/**
 * Owns the drawing of a code for cameras: bytes -> QR version 6, level M, mask 0 (ISO/IEC 18004). One size is enough for two
 * fingerprints, and with one size most of the standard falls away.
 */
import { must } from '#lib/must';

const SIZE = 41;
/** Four blocks of 27 bytes, each with 16 more to correct errors. */
const BLOCKS = 4;
const BLOCK_DATA = 27;
const BLOCK_CHECK = 16;
/** Without the 4 bits of mode and 8 of length. */
export const QR_BYTES = BLOCKS * BLOCK_DATA - 2;
/** Level M and mask 0, with its own error correction. */
const FORMAT = 0b101010000010010;

/** Rows of modules; true is dark. Throws RangeError for more than QR_BYTES. */
export function qrOf(text: string): boolean[][] {
  const bits = interleave(dataOf(new TextEncoder().encode(text))).flatMap((byte) => bitsOf(byte, 8));
  const { modules, isFixed } = frame();
  const line = (row: number) => must(modules[row], 'inside');
  let next = 0;
  for (const [row, column] of path()) {
    if (isFixed(row, column)) continue;
    const bit = bits[next++] === 1;
    line(row)[column] = bit !== ((row + column) % 2 === 0);
  }
  return modules;
}

function dataOf(bytes: Uint8Array): number[] {
  if (bytes.length > QR_BYTES) throw new RangeError('too long for a code');
  const bits = [...bitsOf(0b0100, 4), ...bitsOf(bytes.length, 8), ...[...bytes].flatMap((byte) => bitsOf(byte, 8))];
  bits.push(...bitsOf(0, 4));
  const data: number[] = [];
  for (let i = 0; i < bits.length; i += 8) data.push(bits.slice(i, i + 8).reduce((byte, bit) => byte * 2 + bit, 0));
  for (let pad = 0xec; data.length < BLOCKS * BLOCK_DATA; pad ^= 0xec ^ 0x11) data.push(pad);
  return data;
}

/** First bytes of all blocks, second bytes of all blocks ..., then the same of what corrects them. */
function interleave(data: number[]): number[] {
  const blocks = Array.from({ length: BLOCKS }, (_, i) => data.slice(i * BLOCK_DATA, (i + 1) * BLOCK_DATA));
  const checks = blocks.map(checkOf);
  const woven = (parts: number[][], length: number) =>
    Array.from({ length }, (_, i) => parts.map((part) => part[i] ?? 0)).flat();
  return [...woven(blocks, BLOCK_DATA), ...woven(checks, BLOCK_CHECK)];
}

/** Reed-Solomon: the remainder of the block by the polynomial whose roots are 2^0 .. 2^15. */
function checkOf(block: number[]): number[] {
  let generator = [1];
  for (let i = 0; i < BLOCK_CHECK; i++) {
    const root = power(i);
    generator = [...generator, 0].map((term, at) => term ^ times(generator[at - 1] ?? 0, root));
  }
  const rest = [...block, ...Array.from({ length: BLOCK_CHECK }, () => 0)];
  for (let i = 0; i < block.length; i++) {
    const lead = rest[i] ?? 0;
    generator.forEach((term, at) => {
      rest[i + at] = (rest[i + at] ?? 0) ^ times(term, lead);
    });
  }
  return rest.slice(block.length);
}

/** In the field of 256 with x^8 + x^4 + x^3 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ (product >> 7 ? 0x11d : 0);
    if ((b >> bit) & 1) product ^= a;
  }
  return product;
}

const power = (exponent: number): number => (exponent === 0 ? 1 : times(power(exponent - 1), 2));

/** What every code of this size has: finders, timing, alignment, format. */
function frame() {
  const modules = Array.from({ length: SIZE }, () => Array.from({ length: SIZE }, () => false));
  const fixed = modules.map((row) => row.map(() => false));
  const set = (row: number, column: number, dark: boolean) => {
    const [line, marks] = [modules[row], fixed[row]];
    if (!line || !marks || column < 0 || column >= SIZE) return;
    line[column] = dark;
    marks[column] = true;
  };
  const square = (row: number, column: number, reach: number, light: (ring: number) => boolean) => {
    for (let y = -reach; y <= reach; y++)
      for (let x = -reach; x <= reach; x++) set(row + y, column + x, !light(Math.max(Math.abs(x), Math.abs(y))));
  };
  for (let i = 8; i < SIZE - 8; i++) {
    set(6, i, i % 2 === 0);
    set(i, 6, i % 2 === 0);
  }
  for (const [row, column] of [
    [3, 3],
    [3, SIZE - 4],
    [SIZE - 4, 3],
  ] as const) {
    square(row, column, 4, (ring) => ring === 2 || ring === 4);
  }
  square(SIZE - 7, SIZE - 7, 2, (ring) => ring === 1);
  for (let i = 0; i < 15; i++) {
    const dark = ((FORMAT >> i) & 1) === 1;
    // Bit 0 stands last. Once around the first finder, and once more along the other two.
    if (i < 8) set(8, SIZE - 1 - i, dark);
    else set(SIZE - 15 + i, 8, dark);
    if (i < 6) set(i, 8, dark);
    else if (i < 8) set(i + 1, 8, dark);
    else if (i === 8) set(8, 7, dark);
    else set(8, 14 - i, dark);
  }
  set(SIZE - 8, 8, true);
  return { modules, isFixed: (row: number, column: number) => fixed[row]?.[column] ?? false };
}

/** The way of the bits: two columns at a time from the right, upwards, downwards, around the timing column. */
function* path(): Generator<[row: number, column: number]> {
  let up = true;
  for (let right = SIZE - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    for (let i = 0; i < SIZE; i++) {
      const row = up ? SIZE - 1 - i : i;
      yield [row, right];
      yield [row, right - 1];
    }
    up = !up;
  }
}

const bitsOf = (value: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (value >> (count - 1 - i)) & 1);
