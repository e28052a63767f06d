/** Owns what a picture of a group may be: a small one, inside the sealed title, as a data URL. */

/** It travels with every title, so it costs each member a few kilobytes for each group he is in. */
export const PICTURE_BYTES = 4_096;
/** A few bytes can stand for a picture that fills the memory: what is drawn has its bound, too. */
const LONGEST_SIDE = 256;

const FORM = /^data:image\/(webp|jpeg|png);base64,([A-Za-z0-9+/]+={0,2})$/;
const LONGEST = 'data:image/webp;base64,'.length + Math.ceil(PICTURE_BYTES / 3) * 4;

/** What somebody wrote there counts only if it is a picture, small on the screen as well, and nothing that a browser would fetch or run. */
export function pictureOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > LONGEST) return null;
  const [, type, base64 = ''] = FORM.exec(value) ?? [];
  if (!type || base64.length % 4 !== 0) return null;
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const sides = SIDES[type]?.(new DataView(bytes.buffer), (at, length) => ascii(bytes, at, length)) ?? null;
  return sides?.every((side) => side > 0 && side <= LONGEST_SIDE) ? value : null;
}

type Sides = [width: number, height: number] | null;
type Read = (view: DataView, text: (at: number, length: number) => string) => Sides;

const ascii = (bytes: Uint8Array, at: number, length: number) =>
  String.fromCharCode(...bytes.subarray(at, at + length));

/** From the head of each format: PNG 11.2.2, JPEG B.2.2, WebP "File layout" of RFC 9649. Whoever lies there is refused by the decoder. */
const SIDES: Record<string, Read> = {
  png: (view, text) =>
    view.byteLength >= 24 && text(12, 4) === 'IHDR' ? [view.getUint32(16), view.getUint32(20)] : null,
  jpeg(view) {
    for (let at = 2; at + 9 < view.byteLength; at += 2 + view.getUint16(at + 2)) {
      if (view.getUint8(at) !== 0xff) return null;
      const marker = view.getUint8(at + 1);
      const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
      if (isFrame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    }
    return null;
  },
  webp(view, text) {
    if (view.byteLength < 30 || text(0, 4) !== 'RIFF' || text(8, 4) !== 'WEBP') return null;
    switch (text(12, 4)) {
      case 'VP8 ':
        return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
      case 'VP8L': {
        const bits = view.getUint32(21, true);
        return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
      }
      case 'VP8X':
        return [(view.getUint32(24, true) & 0xffffff) + 1, (view.getUint32(26, true) >>> 8) + 1];
      default:
        return null;
    }
  },
};
