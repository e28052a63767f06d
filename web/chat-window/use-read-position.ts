/** Moves my read position to what was really on the screen: at least half of the row, in a visible and focused window. */
import { type RefObject, useCallback, useEffect, useRef } from 'react';
import type { VirtualizerHandle } from 'virtua';
import { chat, peekChat } from '../chat.ts';
import { attending, onAttention } from './attention.ts';
import type { Row } from './rows.ts';

/** The greatest seq among the rows that are in view. */
function seqInView(list: VirtualizerHandle, rows: Row[], conversationId: string): number {
  const bottom = list.scrollOffset + list.viewportSize;
  const timeline = peekChat().timelines[conversationId];
  for (let index = Math.min(list.findItemIndex(bottom), rows.length - 1); index >= 0; index--) {
    const row = rows[index];
    // A row taller than the window counts as seen once it fills half of the window.
    const half = Math.min(list.getItemSize(index), list.viewportSize) / 2;
    if (row?.kind !== 'message' || list.getItemOffset(index) + half > bottom) continue;
    const seq = timeline?.byId.get(row.key)?.seq;
    if (seq != null) return seq;
  }
  return 0;
}

export function useReadPosition(conversationId: string, list: RefObject<VirtualizerHandle | null>, rows: Row[]) {
  const frame = useRef(0);
  const latest = useRef(rows);
  latest.current = rows;
  const look = useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      if (!list.current || !attending()) return;
      const seq = seqInView(list.current, latest.current, conversationId);
      const conversation = peekChat().conversations[conversationId];
      if (conversation && seq > conversation.myReadSeq) chat.markRead(conversationId, seq);
    });
  }, [conversationId, list]);
  useEffect(look, [look, rows]);
  useEffect(() => onAttention(look), [look]);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  return look;
}
