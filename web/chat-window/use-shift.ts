/** True only in the render that adds rows above those already shown: what virtua needs to hold the view still. */
import { useLayoutEffect, useRef } from 'react';
import type { Row } from './rows.ts';

export function useShift(rows: Row[]): boolean {
  const first = rows[0]?.key;
  const shown = useRef(first);
  const shift = shown.current !== first && rows.some(({ key }) => key === shown.current);
  useLayoutEffect(() => {
    shown.current = first;
  });
  return shift;
}
