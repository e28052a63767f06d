/** Counts the windows of history shown: a page more is the same window, a jump elsewhere is a new one with nothing measured yet. */
import { useState } from 'react';

export function useGeneration(ids: string[]): number {
  const [seen, setSeen] = useState({ ids, generation: 0 });
  if (seen.ids === ids) return seen.generation;
  const [first, last] = [seen.ids[0], seen.ids.at(-1)];
  const overlaps = first === undefined || ids.includes(first) || (last !== undefined && ids.includes(last));
  const generation = overlaps ? seen.generation : seen.generation + 1;
  setSeen({ ids, generation });
  return generation;
}
