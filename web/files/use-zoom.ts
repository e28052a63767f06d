/** Looking closer: wheel, two fingers, keys, double click; dragging moves what is larger than the screen, swiping goes on. */
import { type PointerEvent, useCallback, useEffect, useRef, useState } from 'react';

interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}
interface Point {
  readonly x: number;
  readonly y: number;
}

const WHOLE: View = { scale: 1, x: 0, y: 0 };
export const LARGEST = 8;
const CLOSE = 2.5;
const SWIPE_PX = 60;

export function useZoom(key: string, onSwipe: (step: 1 | -1) => void) {
  const [stage, setStage] = useState<HTMLElement | null>(null);
  const [view, setView] = useState(WHOLE);
  const fingers = useRef(new Map<number, Point>());
  const start = useRef<Point | null>(null);
  useEffect(() => setView(WHOLE), [key]);

  /** Around a point of the screen, which stays where it is. */
  const zoom = useCallback(
    (factor: number, around?: Point) =>
      setView((now) => {
        const scale = Math.min(LARGEST, Math.max(1, now.scale * factor));
        if (scale === 1) return WHOLE;
        const box = stage?.getBoundingClientRect();
        const at =
          around && box ? { x: around.x - box.x - box.width / 2, y: around.y - box.y - box.height / 2 } : WHOLE;
        const by = scale / now.scale;
        return within({ scale, x: at.x - (at.x - now.x) * by, y: at.y - (at.y - now.y) * by }, box);
      }),
    [stage],
  );

  // React listens passively, and the browser would zoom the page.
  useEffect(() => {
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), { x: event.clientX, y: event.clientY });
    };
    stage?.addEventListener('wheel', onWheel, { passive: false });
    return () => stage?.removeEventListener('wheel', onWheel);
  }, [stage, zoom]);

  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = { x: event.clientX, y: event.clientY };
    fingers.current.set(event.pointerId, at);
    start.current = fingers.current.size === 1 ? at : null;
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const before = fingers.current.get(event.pointerId);
    if (!before) return;
    const at = { x: event.clientX, y: event.clientY };
    const other = [...fingers.current].find(([id]) => id !== event.pointerId)?.[1];
    fingers.current.set(event.pointerId, at);
    if (other) {
      const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
      zoom(apart(at, other) / Math.max(1, apart(before, other)), middle);
    } else {
      const box = stage?.getBoundingClientRect();
      setView((now) =>
        now.scale === 1 ? now : within({ ...now, x: now.x + at.x - before.x, y: now.y + at.y - before.y }, box),
      );
    }
  };
  const onPointerUp = (event: PointerEvent<HTMLElement>) => {
    fingers.current.delete(event.pointerId);
    const from = start.current;
    start.current = null;
    if (!from || view.scale !== 1 || event.type === 'pointercancel') return;
    const across = event.clientX - from.x;
    if (Math.abs(across) > SWIPE_PX && Math.abs(across) > 2 * Math.abs(event.clientY - from.y))
      onSwipe(across < 0 ? 1 : -1);
  };
  return {
    view,
    zoom,
    stage: {
      ref: setStage,
      onPointerDown,
      onPointerMove,
      onPointerUp,
      onPointerCancel: onPointerUp,
      onDoubleClick: (event: React.MouseEvent) =>
        zoom(view.scale > 1 ? 0 : CLOSE, { x: event.clientX, y: event.clientY }),
    },
  };
}

const apart = (one: Point, other: Point) => Math.hypot(one.x - other.x, one.y - other.y);

/** Never so far that it leaves the screen. */
function within({ scale, x, y }: View, box: DOMRect | undefined): View {
  const [wide, high] = [((box?.width ?? 0) * (scale - 1)) / 2, ((box?.height ?? 0) * (scale - 1)) / 2];
  return { scale, x: Math.min(wide, Math.max(-wide, x)), y: Math.min(high, Math.max(-high, y)) };
}
