/** One writer for each file, however many come at once. */
import { expect, test } from 'vitest';
import { Turns } from '#server/files/turns';

test('[P27] of many who take over at once, never two are at it, and the last one gets to the end', async () => {
  const turns = new Turns();
  let inside = 0;
  const most: number[] = [];
  const work = async (signal: AbortSignal) => {
    most.push(++inside);
    // Nobody lets go at once.
    for (let i = 0; i < 5 && !signal.aborted; i++) await new Promise((done) => setImmediate(done));
    await new Promise((done) => setImmediate(done));
    inside--;
    return signal.aborted;
  };
  const results = await Promise.all(Array.from({ length: 6 }, () => turns.take('a', work)));
  expect(most).toEqual(results.map(() => 1));
  expect(results.at(-1)).toBe(false);
  expect(turns.isTaken('a')).toBe(false);
});
