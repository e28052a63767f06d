/** One picture, as large as the screen, and the way to the next. Loaded when the first one is opened. */
import { Dialog } from '@base-ui/react/dialog';
import { ChevronLeft, ChevronRight, Download, X, ZoomIn, ZoomOut } from 'lucide-react';
import { type PointerEvent, useEffect, useRef, useState } from 'react';
import type { ChatState, FileView, MessageView } from '#client/types';
import { useChat } from '../chat.ts';
import { fullTime } from '../time.ts';
import { cn } from '../ui/cn.ts';
import { Spinner } from '../ui/spinner.tsx';
import { setUi, useUi } from '../ui-state.ts';
import { Blur } from './blur.tsx';
import { useDownload } from './use-download.ts';
import { useFile } from './use-file.ts';

const close = () => setUi({ lightbox: null });
const MOST = 6;
const STEP = 1.5;
/** A finger that goes this far sideways turns the page. */
const SWIPE_PX = 60;

interface Shown {
  file: FileView;
  message: MessageView;
}

/** All pictures of what is loaded of this conversation, in their order. */
function picturesOf({ timelines }: ChatState, conversationId: string): Shown[] {
  const timeline = timelines[conversationId];
  const ids = [...(timeline?.ids ?? []), ...(timeline?.pending ?? [])];
  return ids.flatMap((id) => {
    const message = timeline?.byId.get(id);
    if (message?.content.kind !== 'text') return [];
    return (message.content.files ?? []).filter(({ kind }) => kind === 'image').map((file) => ({ file, message }));
  });
}

export default function Lightbox() {
  const open = useUi(({ lightbox }) => lightbox);
  const timelines = useChat((state) => state.timelines);
  if (!open) return null;
  const pictures = picturesOf({ timelines } as ChatState, open.conversationId);
  const at = pictures.findIndex(({ file }) => file.id === open.fileId);
  const now = pictures[at];
  if (!now) return null;
  const go = (by: number) => {
    const next = pictures[at + by];
    if (next) setUi({ lightbox: { ...open, fileId: next.file.id } });
  };
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && close()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-50 bg-[#0b0d0cf2]" />
        <Dialog.Popup
          className="dark fixed inset-0 z-50 flex flex-col text-white outline-none safe-top safe-bottom"
          onKeyDown={(event) => {
            if (event.key === 'ArrowLeft') go(-1);
            if (event.key === 'ArrowRight') go(1);
          }}
        >
          <View
            key={now.file.id}
            {...now}
            count={pictures.length > 1 ? `${at + 1} of ${pictures.length}` : ''}
            onSwipe={go}
          />
          {at > 0 && <Turn label="Previous picture" side="left" onClick={() => go(-1)} />}
          {at < pictures.length - 1 && <Turn label="Next picture" side="right" onClick={() => go(1)} />}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function View({ file, message, count, onSwipe }: Shown & { count: string; onSwipe: (by: number) => void }) {
  const author = useChat((state) => state.users[message.senderId]?.displayName ?? 'Somebody');
  const full = useFile(file);
  const small = useFile(file.thumbnail ?? file);
  const { progress, problem, start } = useDownload(file);
  const [zoom, setZoom] = useState(1);
  const [move, setMove] = useState({ x: 0, y: 0 });
  const stage = useRef<HTMLDivElement>(null);
  const drag = useRef<{ x: number; y: number; from: { x: number; y: number } }>(undefined);
  const scale = (by: number) =>
    setZoom((before) => {
      const next = Math.min(MOST, Math.max(1, before * by));
      if (next === 1) setMove({ x: 0, y: 0 });
      return next;
    });

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === '+' || event.key === '=') scale(STEP);
      if (event.key === '-') scale(1 / STEP);
      if (event.key === '0') scale(0);
    };
    const element = stage.current;
    // Not passive, so that the page does not zoom along.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      scale(event.deltaY < 0 ? 1.15 : 1 / 1.15);
    };
    document.addEventListener('keydown', onKey);
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      document.removeEventListener('keydown', onKey);
      element?.removeEventListener('wheel', onWheel);
    };
  }, []);

  const onPointerDown = (event: PointerEvent) => {
    drag.current = { x: event.clientX, y: event.clientY, from: move };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onPointerMove = ({ clientX, clientY }: PointerEvent) => {
    const begun = drag.current;
    if (begun && zoom > 1) setMove({ x: begun.from.x + clientX - begun.x, y: begun.from.y + clientY - begun.y });
  };
  const onPointerUp = ({ clientX }: PointerEvent) => {
    const by = clientX - (drag.current?.x ?? clientX);
    drag.current = undefined;
    if (zoom === 1 && Math.abs(by) > SWIPE_PX) onSwipe(by < 0 ? 1 : -1);
  };

  const url = full.url ?? small.url;
  const trouble = full.problem ?? problem;
  return (
    <>
      <header className="z-10 flex items-center gap-1 p-3">
        <span className="stack min-w-0 flex-1 px-2 leading-tight">
          <Dialog.Title className="truncate font-semibold">{author}</Dialog.Title>
          <span className="truncate text-sm text-white/70 tabular-nums">
            {fullTime(message.createdAt)} {count && `· ${count}`}
          </span>
        </span>
        <Tool label="Smaller" onClick={() => scale(1 / STEP)} disabled={zoom === 1}>
          <ZoomOut size={20} aria-hidden />
        </Tool>
        <Tool label="Larger" onClick={() => scale(STEP)} disabled={zoom >= MOST}>
          <ZoomIn size={20} aria-hidden />
        </Tool>
        <Tool label={`Download ${file.name}`} onClick={start} disabled={progress !== null}>
          <Download size={20} aria-hidden />
        </Tool>
        <Dialog.Close aria-label="Close" className={TOOL}>
          <X size={22} aria-hidden />
        </Dialog.Close>
      </header>
      <div
        ref={stage}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onDoubleClick={() => scale(zoom > 1 ? 0 : 2.5)}
        className={cn(
          'relative min-h-0 flex-1 touch-none overflow-hidden',
          zoom > 1 ? 'cursor-grab' : 'cursor-zoom-in',
        )}
      >
        {!url && file.blurhash && <Blur hash={file.blurhash} />}
        {url && (
          <img
            src={url}
            alt={file.alt ?? `Picture from ${author}`}
            draggable={false}
            style={{ transform: `translate(${move.x}px, ${move.y}px) scale(${zoom})` }}
            className="absolute inset-0 m-auto size-full object-contain transition-transform duration-100 select-none motion-reduce:transition-none"
          />
        )}
        {!full.url && !trouble && (
          <span className="absolute bottom-4 left-1/2 -translate-x-1/2">
            <Spinner />
          </span>
        )}
      </div>
      <footer className="z-10 min-h-12 px-5 py-3 text-center text-sm text-white/80">
        {trouble ? <span role="alert">{trouble}</span> : (file.alt ?? '')}
      </footer>
    </>
  );
}

const TOOL =
  'grid size-11 shrink-0 cursor-pointer place-items-center rounded-full text-white/80 transition-colors hover:bg-white/12 hover:text-white disabled:cursor-default disabled:opacity-35';

function Tool({ label, ...props }: { label: string } & React.ComponentProps<'button'>) {
  return <button type="button" aria-label={label} title={label} className={TOOL} {...props} />;
}

function Turn({ label, side, onClick }: { label: string; side: 'left' | 'right'; onClick: () => void }) {
  const Icon = side === 'left' ? ChevronLeft : ChevronRight;
  return (
    <button
      type="button"
      aria-label={label}
      onClick={onClick}
      className={cn(TOOL, 'fixed top-1/2 z-10 -translate-y-1/2 bg-black/35', side === 'left' ? 'left-2' : 'right-2')}
    >
      <Icon size={24} aria-hidden />
    </button>
  );
}
