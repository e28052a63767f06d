/** One tab stop for the whole list; arrows, Home and End move it from message to message. */
import { type KeyboardEvent, type RefObject, useMemo, useState } from 'react';
import type { VirtualizerHandle } from 'virtua';
import type { Row } from './rows.ts';

const STEPS: Record<string, (index: number, count: number) => number> = {
  ArrowUp: (index) => index - 1,
  ArrowDown: (index) => index + 1,
  Home: () => 0,
  End: (_index, count) => count - 1,
};

export function useRoving(
  rows: Row[],
  list: RefObject<VirtualizerHandle | null>,
  scroller: RefObject<HTMLElement | null>,
) {
  const [chosen, setChosen] = useState<string | null>(null);
  const messages = useMemo(() => rows.flatMap((row) => (row.kind === 'message' ? row.key : [])), [rows]);
  const current = chosen !== null && messages.includes(chosen) ? chosen : (messages.at(-1) ?? null);

  function onKeyDown(event: KeyboardEvent) {
    const step = STEPS[event.key];
    const from = event.target instanceof HTMLElement ? event.target.dataset.message : undefined;
    if (!step || from === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = messages[step(messages.indexOf(from), messages.length)];
    if (next === undefined) return;
    setChosen(next);
    const index = rows.findIndex(({ key }) => key === next);
    list.current?.scrollToIndex(index, { align: 'nearest' });
    // A row far away is drawn one frame after the list has moved to it.
    requestAnimationFrame(() =>
      requestAnimationFrame(() =>
        scroller.current?.querySelector<HTMLElement>(`[data-message="${next}"]`)?.focus({ preventScroll: true }),
      ),
    );
  }
  const onFocus = (event: React.FocusEvent) => {
    const key = event.target instanceof HTMLElement ? event.target.dataset.message : undefined;
    if (key) setChosen(key);
  };
  const index = rows.findIndex(({ key }) => key === current);
  return { current, keepMounted: index < 0 ? undefined : [index], onKeyDown, onFocus };
}
