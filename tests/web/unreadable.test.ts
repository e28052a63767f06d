/** "Why can't I read this?": each cause that is counted has its own answer. */
import { expect, test } from 'vitest';
import { UNREADABLE_REASONS } from '#protocol/keys';
import { unreadableWords } from '../../web/chat-window/unreadable-words.ts';

test('[C87] every reason says what it is and what to do, and no two say the same', () => {
  const texts = UNREADABLE_REASONS.map(unreadableWords);
  for (const text of texts) expect(text).toMatch(/^[^.]+\. .+\.$/);
  expect(new Set(texts).size).toBe(UNREADABLE_REASONS.length);
  expect(unreadableWords('A_REASON_OF_TOMORROW')).toBe(unreadableWords('OTHER'));
});
