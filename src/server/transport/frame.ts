/** Text frames as a server sends them: whole and unmasked (RFC 6455, 5.2). */

const headerBytes = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10);

function writeFrame(bytes: Buffer, at: number, text: string, length: number): number {
  bytes[at] = 0x81;
  const header = headerBytes(length);
  if (header === 2) bytes[at + 1] = length;
  else if (header === 4) {
    bytes[at + 1] = 126;
    bytes.writeUInt16BE(length, at + 2);
  } else {
    bytes[at + 1] = 127;
    bytes.writeBigUInt64BE(BigInt(length), at + 2);
  }
  bytes.write(text, at + header);
  return at + header + length;
}

/** One frame for each text, in one piece. */
export function textFrames(texts: readonly string[]): Buffer {
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + headerBytes(length) + length, 0));
  let at = 0;
  for (const [i, text] of texts.entries()) at = writeFrame(bytes, at, text, lengths[i] ?? 0);
  return bytes;
}

export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(headerBytes(length) + length);
  writeFrame(bytes, 0, text, length);
  return bytes;
}

/** Where the text of a frame begins. */
export const textAt = (frame: Buffer): number => (frame[1] === 127 ? 10 : frame[1] === 126 ? 4 : 2);
