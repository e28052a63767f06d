/** Why a file cannot be had, in words. What was tampered with is refused, and said to be. */
import { plainWords } from '../words.ts';

const WORDS: Record<string, string> = {
  FILE_CHANGED: 'This is not the file that was sent. It was not opened.',
  DECRYPT: 'This is not the file that was sent. It was not opened.',
  not_found: 'This file is not there any more.',
};

export const UNPLAYABLE = 'This browser cannot play it. It can be saved and opened with something else.';

export function fileProblem(error: unknown): string {
  const reason = error instanceof Error && 'reason' in error ? String(error.reason) : '';
  return WORDS[reason] ?? plainWords(error);
}
