/** A rough measure of how long a password would hold out; a hint, never a gate (the gate is its length). */
export const MIN_PASSWORD = 12;

const COMMON = /password|passwort|qwert|asdf|12345|letmein|parley|abcdef|(.)\1{3,}/i;

export interface Strength {
  /** 0 (nothing) to 4. */
  score: number;
  words: string;
}

export function strengthOf(password: string): Strength {
  const length = [...password].length;
  if (length === 0) return { score: 0, words: 'At least 12 characters. A few unrelated words make a good one.' };
  if (length < MIN_PASSWORD) {
    const missing = MIN_PASSWORD - length;
    return { score: 1, words: `${missing} more ${missing === 1 ? 'character' : 'characters'}` };
  }
  if (COMMON.test(password) || new Set(password).size < 6) return { score: 2, words: 'Long enough, but easy to guess' };
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\d/, /[^\p{L}\d]/u].filter((kind) => kind.test(password)).length;
  if (length >= 20 || (length >= 15 && kinds >= 3)) return { score: 4, words: 'Very good' };
  return { score: 3, words: 'Good' };
}
