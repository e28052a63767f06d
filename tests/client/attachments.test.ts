/** What of a file's description is believed when its writer means no good. */
import { expect, test } from 'vitest';
import { readAttachments } from '#client/files/attachment';

const CONVERSATION = '0190a000-0000-7000-8000-000000000001';
const picture = (more: object = {}) => ({
  id: '0190a000-0000-7000-8000-00000000000a',
  key: `${'A'.repeat(43)}=`,
  name: 'a.png',
  mime: 'image/png',
  size: 1,
  sha256: '',
  ...more,
});
const thumbOf = (mime: string) => picture({ id: '0190a000-0000-7000-8000-00000000000b', mime });
const read = (...files: unknown[]) => readAttachments(CONVERSATION, files);

test('[C95] only a picture stands for a picture: no document that a browser would open as a page of ours', () => {
  expect(read(picture({ thumb: thumbOf('image/webp') }))?.[0]?.thumbnail?.mime).toBe('image/webp');
  for (const mime of ['image/svg+xml', 'text/html', 'application/xhtml+xml', 'application/pdf', 'audio/ogg', 7]) {
    expect(read(picture({ thumb: thumbOf(mime as string) }))?.[0]?.thumbnail).toBeNull();
    expect(read(picture({ mime }))?.[0]?.kind).toBe('file');
  }
});

test('[C95] one file stands in a message once, and sizes are sizes', () => {
  expect(read(picture(), picture())).toBeNull();
  for (const size of [-1, 0.5, NaN, Infinity, '1', 2 ** 53, null]) expect(read(picture({ size }))).toBeNull();
  expect(read(picture(), null)).toBeNull();
});
