/** One picture, as large as the screen, and the way to the next. Loaded when the first one is opened. */
import { Dialog } from '@base-ui/react/dialog';
import { ChevronLeft, ChevronRight, Download, X, ZoomIn, ZoomOut } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useRef } from 'react';
import type { ChatState, FileView, MessageView } from '#client/types';
import { useChat } from '../chat.ts';
import { fullTime } from '../time.ts';
import { cn } from '../ui/cn.ts';
import { Spinner } from '../ui/spinner.tsx';
import { setUi, useUi } from '../ui-state.ts';
import { Blur } from './blur.tsx';
import { Ring } from './ring.tsx';
import { useDownload } from './use-download.ts';
import { useFile } from './use-file.ts';
import { LARGEST, useZoom } from './use-zoom.ts';

const close = () => setUi({ lightbox: null });
const STEP = 1.5;

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
        <Dialog.Backdrop className="fixed inset-0 z-50 bg-[#0b0d0c]" />
        <View {...now} count={pictures.length > 1 ? `${at + 1} of ${pictures.length}` : ''} onTurn={go}>
          {at > 0 && <Turn label="Previous picture" side="left" onClick={() => go(-1)} />}
          {at < pictures.length - 1 && <Turn label="Next picture" side="right" onClick={() => go(1)} />}
        </View>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface ViewProps extends Shown {
  count: string;
  onTurn: (by: number) => void;
  children: ReactNode;
}

/** Stays the same from picture to picture, so that the focus stays where it is. */
function View({ file, message, count, onTurn, children }: ViewProps) {
  const author = useChat((state) => state.users[message.senderId]?.displayName ?? 'Somebody');
  const full = useFile(file);
  const small = useFile(file.thumbnail ?? file);
  const { progress, problem, start, cancel } = useDownload(file);
  const { view, zoom, stage } = useZoom(file.id, onTurn);
  const popup = useRef<HTMLDivElement>(null);
  const onKeyDown = ({ key, ctrlKey, metaKey, altKey }: KeyboardEvent) => {
    if (ctrlKey || metaKey || altKey) return;
    if (key === 'ArrowLeft') onTurn(-1);
    else if (key === 'ArrowRight') onTurn(1);
    else if (key === '+' || key === '=') zoom(STEP);
    else if (key === '-') zoom(1 / STEP);
    else if (key === '0') zoom(0);
  };

  const url = full.url ?? small.url;
  const trouble = full.problem ?? problem;
  return (
    <Dialog.Popup
      ref={popup}
      initialFocus={popup}
      onKeyDown={onKeyDown}
      className="dark fixed inset-0 z-50 flex flex-col text-white outline-none safe-top safe-bottom"
    >
      <header className="z-10 flex items-center gap-1 p-3">
        <span className="stack min-w-0 flex-1 px-2 leading-tight">
          <Dialog.Title className="truncate font-semibold">{author}</Dialog.Title>
          <span className="truncate text-sm text-white/70 tabular-nums">
            <time dateTime={message.createdAt}>{fullTime(message.createdAt)}</time> · {file.name}
          </span>
        </span>
        <span aria-live="polite" className="px-2 text-sm text-white/70 tabular-nums">
          {count}
        </span>
        <Tool label="Smaller" onClick={() => zoom(1 / STEP)} disabled={view.scale === 1} className="max-md:hidden">
          <ZoomOut size={20} aria-hidden />
        </Tool>
        <Tool label="Larger" onClick={() => zoom(STEP)} disabled={view.scale >= LARGEST} className="max-md:hidden">
          <ZoomIn size={20} aria-hidden />
        </Tool>
        {progress ? (
          <Tool label={`Stop downloading ${file.name}`} onClick={cancel}>
            <Ring progress={progress} label={`Downloading ${file.name}`}>
              <X size={17} aria-hidden />
            </Ring>
          </Tool>
        ) : (
          <Tool label={`Download ${file.name}`} onClick={start}>
            <Download size={20} aria-hidden />
          </Tool>
        )}
        <Dialog.Close aria-label="Close" className={TOOL}>
          <X size={22} aria-hidden />
        </Dialog.Close>
      </header>
      <div
        {...stage}
        className={cn(
          'relative min-h-0 flex-1 touch-none overflow-hidden select-none',
          view.scale > 1 ? 'cursor-grab active:cursor-grabbing' : 'cursor-zoom-in',
        )}
      >
        {!url && file.blurhash && !trouble && (
          <span
            style={{ aspectRatio: (file.width ?? 4) / (file.height ?? 3) }}
            className="absolute inset-0 m-auto max-h-full w-[min(100%,40rem)] overflow-hidden rounded-lg opacity-60"
          >
            <Blur hash={file.blurhash} />
          </span>
        )}
        {url && (
          <img
            key={file.id}
            src={url}
            alt={file.alt ?? `Picture from ${author}`}
            draggable={false}
            style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
            className="absolute inset-0 size-full object-contain"
          />
        )}
        {!full.url && !trouble && (
          <span className="absolute bottom-4 left-1/2 -translate-x-1/2">
            <Spinner label="Loading the picture" className="text-white" />
          </span>
        )}
      </div>
      {children}
      <footer className="z-10 flex min-h-12 items-center justify-center gap-2 px-5 py-2 text-center text-sm text-white/85">
        {trouble ? <span role="alert">{trouble}</span> : (file.alt ?? '')}
        {full.problem && (
          <button
            type="button"
            onClick={full.retry}
            className="min-h-11 cursor-pointer rounded-md px-3 font-semibold text-white underline underline-offset-3"
          >
            Retry
          </button>
        )}
      </footer>
    </Dialog.Popup>
  );
}

const TOOL =
  'grid size-11 shrink-0 cursor-pointer place-items-center rounded-full text-white/80 transition-colors hover:bg-white/12 hover:text-white disabled:cursor-default disabled:opacity-35';

function Tool({ label, className, ...props }: { label: string } & React.ComponentProps<'button'>) {
  return <button type="button" aria-label={label} title={label} className={cn(TOOL, className)} {...props} />;
}

function Turn({ label, side, onClick }: { label: string; side: 'left' | 'right'; onClick: () => void }) {
  const Icon = side === 'left' ? ChevronLeft : ChevronRight;
  return (
    <button
      type="button"
      aria-label={label}
      onClick={onClick}
      className={cn(
        TOOL,
        'fixed top-1/2 z-10 -translate-y-1/2 bg-black/45 max-md:hidden',
        side === 'left' ? 'left-2' : 'right-2',
      )}
    >
      <Icon size={24} aria-hidden />
    </button>
  );
}
