/** Where the list stands: opens at the right place, follows its end, holds still while history arrives above, fetches ahead. */
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { VirtualizerHandle } from 'virtua';
import { must } from '#lib/must';
import { chat, peekChat } from '../chat.ts';
import { dayTitle } from '../time.ts';
import { tellProblem } from '../ui/toast.tsx';
import { dayAt, type Row } from './rows.ts';
import { keepScroll, recallScroll } from './scroll-memory.ts';
import type { Sticky } from './sticky.ts';

/** This near to the end counts as at the end. */
const AT_END_PX = 8;
/** Pages are asked for this far ahead, so that they are there before the eye is. */
const AHEAD_PX = 1_500;
/** Room for the floating day label above the row that a window opens at. */
const LABEL_PX = 56;

interface Options {
  conversationId: string;
  rows: Row[];
  /** Which window of history this is (use-generation.ts). */
  generation: number;
  lastPending: string | undefined;
  loading: string;
  list: RefObject<VirtualizerHandle | null>;
  scroller: RefObject<HTMLElement | null>;
  stick: Sticky;
  /** A jump that is under way decides about the place itself. */
  underway: RefObject<string | null>;
  onMove: () => void;
}

export function useListScroll(options: Options) {
  const {
    conversationId,
    rows,
    generation,
    lastPending,
    loading,
    list: listRef,
    scroller,
    stick,
    underway,
    onMove,
  } = options;
  const [far, setFar] = useState(false);
  const [day, setDay] = useState<string>();
  const latest = useRef(rows);
  latest.current = rows;

  const pin = useCallback(() => {
    if (stick.on) listRef.current?.scrollToIndex(latest.current.length - 1, { align: 'end' });
  }, [listRef, stick]);

  const fetchAround = useCallback(() => {
    const handle = listRef.current;
    const timeline = peekChat().timelines[conversationId];
    if (!handle || !timeline || timeline.loading !== 'none' || timeline.problem) return;
    if (timeline.hasOlder && handle.scrollOffset < AHEAD_PX) void chat.loadOlder(conversationId).catch(tellProblem);
    else if (timeline.hasNewer && below(scroller) < AHEAD_PX) void chat.loadNewer(conversationId).catch(tellProblem);
  }, [conversationId, listRef, scroller]);

  const onScroll = useCallback(() => {
    const handle = listRef.current;
    const timeline = peekChat().timelines[conversationId];
    if (!handle || !timeline) return;
    stick.set(below(scroller) <= AT_END_PX && !timeline.hasNewer);
    setFar(timeline.hasNewer || below(scroller) > handle.viewportSize);
    const at = dayAt(latest.current, handle.findItemIndex(handle.scrollOffset + LABEL_PX), timeline);
    setDay(at && dayTitle(at, Date.now()));
    remember(conversationId, handle, stick.on ? [] : latest.current);
    fetchAround();
    onMove();
  }, [conversationId, listRef, scroller, stick, fetchAround, onMove]);

  // A window that opened at the "New" line and shows everything there is stands at the end without ever scrolling.
  // Known two frames later, when what is in view has been measured.
  const frame = useRef(0);
  const settle = useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      frame.current = requestAnimationFrame(() => {
        const ends = below(scroller) <= AT_END_PX && !peekChat().timelines[conversationId]?.hasNewer;
        if (ends) stick.set(true);
        onMove();
      });
    });
  }, [conversationId, scroller, stick, onMove]);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);

  const onResize = useCallback(() => {
    pin();
    settle();
  }, [pin, settle]);

  // Where a window of history opens: the "New" line, the place I left, or the end. Never when rows come and go in it.
  useLayoutEffect(() => {
    if (underway.current) return;
    const indexOf = (key: string) => latest.current.findIndex((row) => row.key === key);
    const anchor = recallScroll(conversationId);
    const line = generation === 0 ? indexOf('unread') : -1;
    const left = generation === 0 && anchor ? indexOf(anchor.messageId) : -1;
    stick.set(line < 0 && left < 0);
    if (line >= 0) must(listRef.current, 'rendered').scrollToIndex(line, { align: 'start', offset: -LABEL_PX });
    else if (left >= 0)
      must(listRef.current, 'rendered').scrollToIndex(left, { align: 'start', offset: anchor?.offset ?? 0 });
    else pin();
  }, [generation, conversationId, listRef, stick, underway, pin]);

  // New rows: follow the end, above all to what I have just written myself.
  const shownPending = useRef(lastPending);
  useLayoutEffect(() => {
    if (lastPending !== undefined && lastPending !== shownPending.current) {
      stick.set(true);
      const elsewhere = peekChat().timelines[conversationId]?.hasNewer;
      if (elsewhere) void chat.jumpToLatest(conversationId).catch(tellProblem);
    }
    shownPending.current = lastPending;
    // Cut off from what came in a long absence: the place is where I was, not wherever the end moves to while pages arrive.
    if (peekChat().timelines[conversationId]?.hasNewer) {
      stick.set(false);
      setFar(true);
    }
    pin();
    fetchAround();
  }, [rows, lastPending, loading, conversationId, stick, pin, fetchAround]);

  const toLatest = useCallback(async () => {
    await chat.jumpToLatest(conversationId);
    stick.set(true);
    requestAnimationFrame(pin);
  }, [conversationId, stick, pin]);

  return { onScroll, onResize, far, day, toLatest };
}

/**
 * Asked of the element itself: when it grows (a notice above it goes), the browser moves what it shows before the list
 * has heard of the new height, and that is nobody scrolling away from the end.
 */
function below({ current }: RefObject<HTMLElement | null>): number {
  return current ? current.scrollHeight - current.clientHeight - current.scrollTop : 0;
}

/** Without rows: the place is the end, which needs no remembering. */
function remember(conversationId: string, handle: VirtualizerHandle, rows: Row[]): void {
  const from = handle.findItemIndex(handle.scrollOffset);
  const index = rows.findIndex((row, position) => position >= from && row.kind === 'message');
  const row = rows[index];
  keepScroll(
    conversationId,
    row ? { messageId: row.key, offset: handle.scrollOffset - handle.getItemOffset(index) } : null,
  );
}
