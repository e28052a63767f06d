/** Cuts a message's text into plain pieces, links and code. Data only: what a piece looks like is React's business (P28). */

export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'code'; text: string }
  | { kind: 'block'; text: string };

const BLOCK = /```(?:\w*\n)?([\s\S]+?)```/g;
const INLINE = /`([^`\n]+)`|\b((?:https?:\/\/|mailto:)[^\s<>"'`]+)/gi;
const PROTOCOLS = new Set(['http:', 'https:', 'mailto:']);

export function piecesOf(body: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of body.matchAll(BLOCK)) {
    pieces.push(...inlinePieces(body.slice(end, match.index).replace(/\n$/, '')));
    pieces.push({ kind: 'block', text: (match[1] ?? '').replace(/\n$/, '') });
    end = match.index + match[0].length;
  }
  pieces.push(...inlinePieces(end > 0 ? body.slice(end).replace(/^\n/, '') : body));
  return pieces;
}

function inlinePieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  const plain = (until: number) => until > end && pieces.push({ kind: 'text', text: text.slice(end, until) });
  for (const match of text.matchAll(INLINE)) {
    const code = match[1];
    const url = code === undefined ? trimmed(match[2] ?? '') : undefined;
    const piece: Piece | undefined = code !== undefined ? { kind: 'code', text: code } : linkOf(url ?? '');
    if (!piece) continue;
    plain(match.index);
    pieces.push(piece);
    end = match.index + (url ?? match[0]).length;
  }
  plain(text.length);
  return pieces;
}

/** The full stop after an address belongs to the sentence, and so does a bracket that was opened before it. */
function trimmed(url: string): string {
  let result = url.replace(/[.,;:!?…]+$/, '');
  while (result.endsWith(')') && result.split(')').length > result.split('(').length) result = result.slice(0, -1);
  return result;
}

function linkOf(text: string): Piece | undefined {
  try {
    const url = new URL(text);
    return PROTOCOLS.has(url.protocol) ? { kind: 'link', text, href: url.href } : undefined;
  } catch {
    return undefined;
  }
}

const EMOJI =
  /^(?:\p{RI}{2}|\p{Emoji}(?:\p{EMod}|\uFE0F\u20E3?|[\u{E0020}-\u{E007F}]+)?(?:\u200D\p{Emoji}(?:\p{EMod}|\uFE0F)?)*)+$/u;

/** Up to three emoji and nothing else are worth showing large. */
export function isJumbo(body: string): boolean {
  const text = body.replace(/\s/g, '');
  if (text.length === 0 || text.length > 40 || /^[\d#*]+$/.test(text) || !EMOJI.test(text)) return false;
  return [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)].length <= 3;
}
