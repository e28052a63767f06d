/** Admission of new sockets, turn by turn of the event loop. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Doorway, MOST_WAITING } from '#server/transport/doorway';

test('[P17] whoever comes with a thousand others comes in, in order, and what else is to be done has its turns in between', async () => {
  const doorway = new Doorway();
  const opened: number[] = [];
  for (let i = 0; i < 1_000; i++) expect(doorway.enter(() => opened.push(i))).toBe(true);
  expect(opened).toEqual([]);
  const perTurn: number[] = [];
  while (opened.length < 1_000) {
    const before = opened.length;
    await nextTurn();
    perTurn.push(opened.length - before);
  }
  expect(opened).toEqual([...opened.keys()]);
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(16);
  expect(perTurn.length).toBeGreaterThan(50);
  // Idle, it is as open as it was.
  doorway.enter(() => opened.push(1_000));
  await nextTurn();
  expect(opened.at(-1)).toBe(1_000);
});

test('[P24] when too many wait, the next is refused, and let in when there is room again', async () => {
  const doorway = new Doorway();
  let opened = 0;
  const enter = () => doorway.enter(() => opened++);
  for (let i = 0; i < MOST_WAITING; i++) enter();
  expect(enter()).toBe(false);
  await nextTurn();
  await nextTurn();
  expect(enter()).toBe(true);
  while (opened < MOST_WAITING + 1) await nextTurn();
});
