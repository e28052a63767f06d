/** What becomes of a message's text: pieces of data, of which only three protocols are ever links. */
import { describe, expect, test } from 'vitest';
import { isJumbo, piecesOf } from '../../web/chat-window/text.ts';

const links = (body: string) => piecesOf(body).flatMap((piece) => (piece.kind === 'link' ? piece.href : []));
const joined = (body: string) =>
  piecesOf(body)
    .map(({ text }) => text)
    .join('');

describe('text', () => {
  test('[P28] markup stays what it is: text', () => {
    const body = '<img src=x onerror=alert(1)> <script>alert(1)</script> &lt;b&gt;';
    expect(piecesOf(body)).toEqual([{ kind: 'text', text: body }]);
  });

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'JaVaScRiPt://x%0aalert(1)',
  ])('[P28] %s is no link', (body) => {
    expect(links(`see ${body} there`)).toEqual([]);
    expect(joined(`see ${body} there`)).toBe(`see ${body} there`);
  });

  test('addresses end where the sentence goes on', () => {
    expect(links('Look at https://example.org/a(b). And (http://example.org/c), or mailto:a@b.org!')).toEqual([
      'https://example.org/a(b)',
      'http://example.org/c',
      'mailto:a@b.org',
    ]);
  });

  test('nothing of a text is lost or changed by cutting it', () => {
    const body = 'a  b\n\n  c https://x.org, `code  here` and the rest\tof it';
    expect(joined(body)).toBe(body.replaceAll('`', ''));
  });

  test('code keeps its spaces, and addresses in it are code', () => {
    expect(piecesOf('so:\n```ts\nif (a)\n  go("https://x.org")\n```\nright?')).toEqual([
      { kind: 'text', text: 'so:' },
      { kind: 'block', text: 'if (a)\n  go("https://x.org")' },
      { kind: 'text', text: 'right?' },
    ]);
    expect(piecesOf('`https://x.org`')).toEqual([{ kind: 'code', text: 'https://x.org' }]);
  });

  test.each([
    ['👍', true],
    ['🥟🥟🥟', true],
    ['👩‍👩‍👧 🇪🇺', true],
    ['❤️', true],
    ['👍👍👍👍', false],
    ['1', false],
    ['#', false],
    ['ok 👍', false],
    ['', false],
  ])('%s is shown large: %s', (body, large) => {
    expect(isJumbo(body)).toBe(large);
  });
});
