/** The code for cameras, read back by a reader that shares nothing with its writer. */
import { expect, test } from 'vitest';
import { must } from '#lib/must';
import { QR_BYTES, qrOf } from '../../web/trust/qr.ts';

/** Powers of 2 in the field of 256, by table. */
const EXP: number[] = [];
for (let i = 0, x = 1; i < 255; i++) {
  EXP.push(x);
  x = x & 128 ? ((x << 1) & 255) ^ 0x1d : x << 1;
}
const multiply = (a: number, b: number) => (a && b ? must(EXP[(EXP.indexOf(a) + EXP.indexOf(b)) % 255], 'in it') : 0);

function read(modules: boolean[][]): string {
  const size = modules.length;
  const dark = (row: number, column: number) => (modules[row]?.[column] ? 1 : 0);
  // Format, read from the corner: level M is 00, and here the mask is 000.
  const around = [0, 1, 2, 3, 4, 5, 7, 8].map((x) => dark(8, x)).concat([7, 5, 4, 3, 2, 1, 0].map((y) => dark(y, 8)));
  expect(parseInt(around.join(''), 2) ^ 0b101010000010010).toBe(0);
  const beside = [1, 2, 3, 4, 5, 6, 7].map((i) => dark(size - i, 8));
  const below = [8, 7, 6, 5, 4, 3, 2, 1].map((i) => dark(8, size - i));
  expect([...beside, ...below]).toEqual(around);
  const corner = (y: number, x: number) => y < 9 && x < 9;
  const isData = (y: number, x: number) =>
    !corner(y, x) && !corner(y, size - 1 - x + 1) && !corner(size - 1 - y + 1, x) && y !== 6 && x !== 6
      ? !(y >= size - 9 && y <= size - 5 && x >= size - 9 && x <= size - 5)
      : false;
  const bits: number[] = [];
  const columns = Array.from({ length: size }, (_, i) => size - 1 - i).filter((x) => x !== 6);
  for (let pair = 0; pair < columns.length; pair += 2) {
    const rows = Array.from({ length: size }, (_, i) => ((pair / 2) % 2 === 0 ? size - 1 - i : i));
    for (const y of rows)
      for (const x of columns.slice(pair, pair + 2)) if (isData(y, x)) bits.push(dark(y, x) ^ ((y + x) % 2 ? 0 : 1));
  }
  const bytes = Array.from({ length: 172 }, (_, i) => parseInt(bits.slice(i * 8, i * 8 + 8).join(''), 2));
  const data: number[] = [];
  for (let block = 0; block < 4; block++) {
    const own = bytes.filter((_, i) => i % 4 === block);
    // A word of the code vanishes at the first 16 powers of 2.
    for (let root = 0; root < 16; root++) {
      expect(own.reduce((sum, byte) => multiply(sum, must(EXP[root], 'in it')) ^ byte, 0)).toBe(0);
    }
    data.push(...own.slice(0, 27));
  }
  const stream = data.map((byte) => byte.toString(2).padStart(8, '0')).join('');
  expect(stream.slice(0, 4)).toBe('0100');
  const length = parseInt(stream.slice(4, 12), 2);
  return String.fromCharCode(...Array.from({ length }, (_, i) => parseInt(stream.slice(12 + i * 8, 20 + i * 8), 2)));
}

test('[C72] what is drawn for a camera is what was meant', () => {
  for (const text of ['', 'PARLEY1 AAAA', 'x'.repeat(QR_BYTES)]) expect(read(qrOf(text))).toBe(text);
  expect(() => qrOf('x'.repeat(QR_BYTES + 1))).toThrow(RangeError);
});

test('the three finders and the alignment mark stand where cameras look for them', () => {
  const rows = qrOf('PARLEY1').map((row) => row.map((on) => (on ? '#' : '.')).join(''));
  expect(rows).toHaveLength(41);
  const finder = ['#######', '#.....#', '#.###.#', '#.###.#', '#.###.#', '#.....#', '#######'];
  const part = (y: number, x: number, n: number) => rows.slice(y, y + n).map((row) => row.slice(x, x + n));
  for (const [y, x] of [
    [0, 0],
    [0, 34],
    [34, 0],
  ] as const) {
    expect(part(y, x, 7)).toEqual(finder);
  }
  expect(part(32, 32, 5)).toEqual(['#####', '#...#', '#.#.#', '#...#', '#####']);
});
