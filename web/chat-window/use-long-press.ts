/** A finger that rests on a message opens its menu, as the right button of a mouse does. */
import { type PointerEvent, type TouchEvent, useRef } from 'react';

const PRESS_MS = 450;
/** A finger is never quite still; more than this is a scroll. */
const SLOP_PX = 10;

export function useLongPress(action: () => void) {
  const state = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number } | null>(null);
  const opened = useRef(false);
  const cancel = () => {
    if (state.current) clearTimeout(state.current.timer);
    state.current = null;
  };
  return {
    onPointerDown(event: PointerEvent) {
      if (event.pointerType === 'mouse') return;
      cancel();
      opened.current = false;
      const open = () => {
        opened.current = true;
        action();
      };
      state.current = { timer: setTimeout(open, PRESS_MS), x: event.clientX, y: event.clientY };
    },
    onPointerMove(event: PointerEvent) {
      const start = state.current;
      if (start && Math.hypot(event.clientX - start.x, event.clientY - start.y) > SLOP_PX) cancel();
    },
    onPointerUp: cancel,
    onPointerCancel: cancel,
    onTouchEnd(event: TouchEvent) {
      // Otherwise the lifted finger counts as a click beside the menu that it has just opened.
      if (opened.current && event.cancelable) event.preventDefault();
    },
    onContextMenu(event: React.MouseEvent) {
      if (event.target instanceof Element && event.target.closest('a')) return;
      // Selected text has its own menu, which is the one meant then.
      if (window.getSelection()?.toString()) return;
      event.preventDefault();
      action();
    },
  };
}
