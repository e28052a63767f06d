/** `:smile` and its like: finds the word being typed and what it could become. The table is loaded at the first colon. */
import type codes from 'emojibase-data/en/shortcodes/github.json';

export interface Completion {
  emoji: string;
  code: string;
}

const AT_MOST = 6;
const WORD = /(?:^|\s):([a-z0-9_+-]{2,})$/i;

let table: Completion[] | undefined;

export async function loadShortcodes(): Promise<void> {
  if (table) return;
  const module = await import('emojibase-data/en/shortcodes/github.json');
  table = Object.entries(module.default as typeof codes).flatMap(([hexcode, names]) => {
    const emoji = String.fromCodePoint(...hexcode.split('-').map((part) => Number.parseInt(part, 16)));
    return [names].flat().map((code) => ({ emoji, code }));
  });
}

/** The shortcode that ends at the caret, without its colon. */
export const wordAt = (text: string, caret: number) => WORD.exec(text.slice(0, caret))?.[1]?.toLowerCase();

/** Names that begin with the word first, then those that contain it. Empty until the table is there. */
export function completionsFor(word: string): Completion[] {
  const begins = (table ?? []).filter(({ code }) => code.startsWith(word));
  const contains = (table ?? []).filter(({ code }) => code.includes(word) && !code.startsWith(word));
  return [...begins.sort((a, b) => a.code.length - b.code.length), ...contains].slice(0, AT_MOST);
}
