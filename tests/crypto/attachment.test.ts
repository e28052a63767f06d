/** Files: sealed and opened in pieces, and refused when anything about them is not as it was. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FileOpener, FileSealer } from '../../src/crypto/attachment.ts';
import { type Bytes, concat, toHex, utf8 } from '../../src/crypto/bytes.ts';
import { BOX_HEADER_BYTES, CHUNK_BYTES, paddedLength, SEALED_CHUNK_BYTES } from '../../src/crypto/chunks.ts';
import { importSealKey, sealWithSalt } from '../../src/crypto/cobblestone.ts';
import {
  PIECE_BYTES,
  pieceAt,
  pieceRange,
  piecesOf,
  pieceStart,
  rangeOf,
  sealedFileLength,
} from '../../src/crypto/file-layout.ts';
import { isPaddedLength } from '../../src/crypto/padding.ts';
import { sha256 } from '../../src/crypto/verify.ts';
import { Writer } from '../../src/crypto/wire.ts';

const place = {
  conversationId: '01890000-0000-7000-8000-000000000001',
  fileId: '01890000-0000-7000-8000-000000000002',
};
const secret = { key: new Uint8Array(32).fill(7), salt: new Uint8Array(24).fill(9) };

const content = (length: number): Bytes => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

async function sealed(file: Bytes, at = place): Promise<Bytes> {
  const sealer = await FileSealer.of(at, secret, file.length);
  const pieces: Bytes[] = [];
  for (let i = 0; i < piecesOf(file.length); i++) {
    pieces.push(await sealer.seal(i, file.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES)));
  }
  return concat(...pieces);
}

const opener = (box: Bytes, at = place) => FileOpener.of(at, secret.key, box.subarray(0, BOX_HEADER_BYTES));

async function opened(box: Bytes, length: number, at = place): Promise<Bytes> {
  const reader = await opener(box, at);
  const pieces: Bytes[] = [];
  for (let piece = 0; piece < piecesOf(length); piece++) {
    const range = pieceRange(piece, length);
    pieces.push(
      await reader.open(range, box.subarray(range.start, piece === piecesOf(length) - 1 ? undefined : range.end)),
    );
  }
  return concat(...pieces).slice(0, length);
}

// The last but one fills its padding, a piece and all: the box then ends with a piece that holds nothing.
const LENGTHS = [0, 1, 64, CHUNK_BYTES - 1, CHUNK_BYTES, 40_000, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 70_000];

test('[C93] in pieces, a file becomes the very box that it becomes at once', async () => {
  for (const length of LENGTHS) {
    const file = content(length);
    const box = await sealed(file);
    const padded = new Uint8Array(paddedLength(length));
    padded.set(file);
    const context = new Writer().label('att').id(place.conversationId).id(place.fileId).end();
    const whole = await sealWithSalt(await importSealKey(secret.key), context, {
      plaintext: padded,
      salt: secret.salt,
    });
    expect(toHex(await sha256(box))).toBe(toHex(await sha256(whole)));
    expect(box.length).toBe(sealedFileLength(length));
    expect(isPaddedLength(box.length)).toBe(true);
    const starts = Array.from({ length: piecesOf(length) }, (_, piece) => pieceStart(piece));
    expect(starts.map(pieceAt)).toEqual(starts.map((_, piece) => piece));
    expect(toHex(await sha256(await opened(box, length)))).toBe(toHex(await sha256(file)));
  }
});

test('[C93] any part of it can be read by itself', async () => {
  const file = content(150_000);
  const box = await sealed(file);
  const reader = await opener(box);
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length - 1), fc.integer({ min: 1, max: 60_000 }), async (start, length) => {
      const end = Math.min(start + length, file.length);
      const range = rangeOf(start, end, file.length);
      const bytes = await reader.open(range, box.subarray(range.start, range.end));
      const skipped = start - range.first * CHUNK_BYTES;
      expect(bytes.slice(skipped, skipped + end - start)).toEqual(file.slice(start, end));
    }),
    { numRuns: 50 },
  );
});

describe('[C93] a file that is not as it was sealed does not open', () => {
  const length = 5 * CHUNK_BYTES;
  const at = (chunk: number) => BOX_HEADER_BYTES + chunk * SEALED_CHUNK_BYTES;
  const file = content(length);
  const changes: [string, (box: Bytes) => Bytes][] = [
    ['cut within a chunk', (box) => box.slice(0, -1)],
    ['cut at the border of a chunk', (box) => box.slice(0, at(4))],
    ['a chunk left out', (box) => concat(box.subarray(0, at(1)), box.subarray(at(2)))],
    [
      'two chunks exchanged',
      (box) =>
        concat(box.subarray(0, at(1)), box.subarray(at(2), at(3)), box.subarray(at(1), at(2)), box.subarray(at(3))),
    ],
    ['a chunk twice', (box) => concat(box.subarray(0, at(2)), box.subarray(at(1)))],
    ['something behind its end', (box) => concat(box, new Uint8Array(16))],
    ['one bit', (box) => box.map((byte, i) => (i === at(2) + 5 ? byte ^ 1 : byte))],
    ['one bit of the salt', (box) => box.map((byte, i) => (i === 3 ? byte ^ 1 : byte))],
    ['one bit of the commitment', (box) => box.map((byte, i) => (i === 30 ? byte ^ 1 : byte))],
  ];
  for (const [name, change] of changes) {
    test(`${name}`, async () => {
      const box = change(await sealed(file));
      await expect(opened(box, length)).rejects.toMatchObject({ code: 'DECRYPT' });
    });
  }
  test('another conversation, another file, another length', async () => {
    const box = await sealed(file);
    await expect(opened(box, length, { ...place, fileId: place.conversationId })).rejects.toMatchObject({
      code: 'DECRYPT',
    });
    await expect(opened(box, length, { ...place, conversationId: place.fileId })).rejects.toMatchObject({
      code: 'DECRYPT',
    });
    await expect(opened(box, length * 2)).rejects.toMatchObject({ code: 'DECRYPT' });
    const second = { first: 1, start: at(1), end: at(2) };
    await expect((await opener(box)).open(second, box.subarray(at(0), at(1)))).rejects.toMatchObject({
      code: 'DECRYPT',
    });
  });
});

test('[C93] the bytes of a sealed file are frozen', async () => {
  const box = await sealed(utf8('a pressed gentian'));
  expect(box.length).toBe(136);
  expect(toHex(await sha256(box))).toBe('72ce37b58759a8d602333afdd93913f6665b295e78283a2ab04f5f0976d65311');
});
