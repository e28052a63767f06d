import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesEqual,
  fromBase64,
  fromUtf8,
  toBase64,
  utf8,
  uuidFromBytes,
  uuidToBytes,
} from '../../src/crypto/bytes.ts';
import { Reader, Writer } from '../../src/crypto/wire.ts';

const BAD_FORMAT = expect.objectContaining({ code: 'BAD_FORMAT' });

describe('base64', () => {
  it.each([
    ['no padding', 'AAA'],
    ['one sign of padding too much', 'AAAA===='],
    ['the alphabet of URLs', 'AA-_'],
    ['white space', 'AAAA AAA'],
    ['a line break', 'AAAA\n'],
    ['padding in the middle', 'AA==AAAA'],
    ['bits behind one byte', 'AB=='],
    ['bits behind two bytes', 'AAB='],
    ['not a string', 7 as unknown as string],
  ])('refuses %s', (_, text) => {
    expect(() => fromBase64(text)).toThrow(BAD_FORMAT);
  });

  it('is the inverse of itself, and no text but one gives the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(bytesEqual(fromBase64(toBase64(bytes)), bytes)).toBe(true);
      }),
    );
  });
});

it('UUIDs are lower case, with dashes, 16 bytes', () => {
  const id = '0190163d-8694-739b-aea5-966c26f8ad91';
  expect(uuidFromBytes(uuidToBytes(id))).toBe(id);
  for (const bad of [id.toUpperCase(), id.replaceAll('-', ''), `${id}0`, '']) {
    expect(() => uuidToBytes(bad)).toThrow(BAD_FORMAT);
  }
});

it('UTF-8 that is none is refused; a byte order mark is kept', () => {
  expect(() => fromUtf8(new Uint8Array([0xff]))).toThrow(BAD_FORMAT);
  expect(fromUtf8(utf8('\ufeffx'))).toBe('\ufeffx');
});

it('fields come back as they were written, and nothing may be left over', () => {
  const bytes = new Writer().label('x').u8(7).u32(0xffff_ffff).u64(Number.MAX_SAFE_INTEGER).end();
  const reader = new Reader(bytes);
  reader.label('x');
  expect([reader.u8(), reader.u32(), reader.u64()]).toEqual([7, 0xffff_ffff, Number.MAX_SAFE_INTEGER]);
  reader.end();
  expect(() => reader.u8()).toThrow(BAD_FORMAT);
  expect(() => new Reader(bytes).end()).toThrow(BAD_FORMAT);
  expect(() => new Reader(bytes).label('y')).toThrow(BAD_FORMAT);
  expect(() => new Reader(new Uint8Array(8).fill(255)).u64()).toThrow(BAD_FORMAT);
  expect(() => new Writer().u8(256)).toThrow(BAD_FORMAT);
  expect(() => new Writer().u32(-1)).toThrow(BAD_FORMAT);
});
