/** One picture inside a message. Its place is there before it is, so nothing jumps when it comes. */
import { ImageOff } from 'lucide-react';
import { useRef } from 'react';
import type { FileView } from '#client/types';
import { cn } from '../ui/cn.ts';
import { setUi } from '../ui-state.ts';
import { Blur } from './blur.tsx';
import { useFile } from './use-file.ts';
import { useNear } from './use-near.ts';

interface Props {
  file: FileView;
  /** Alone it keeps its shape, among others it is cut to fit. */
  alone: boolean;
  by: string;
  /** The server has it, or this page has just sent it. */
  there: boolean;
}

/** The shapes that a picture may take in the list: panoramas and towers are cut. */
const WIDEST = 2.4;
const TALLEST = 0.62;
/** Larger ones come when they are asked for: what somebody else sends must not eat what one pays for. */
const BY_ITSELF_BYTES = 10_000_000;
/** Small ones are not blown up, but can always be hit. */
const LEAST_REM = 7;
const REM_PX = 16;

/** How wide it is in the list where there is room. */
const widthOf = (shape: number, pixels: number | null): number =>
  Math.min(22, 20 * shape, Math.max(LEAST_REM, pixels === null ? 22 : pixels / REM_PX));

export function Picture({ file, alone, by, there }: Props) {
  const { blurhash, width, height, conversationId } = file;
  const place = useRef<HTMLButtonElement>(null);
  const small = file.thumbnail ?? file;
  const shown = useFile(small, useNear(place) && there && small.size <= BY_ITSELF_BYTES);
  const shape = width && height ? Math.min(WIDEST, Math.max(TALLEST, width / height)) : 1.4;
  const alt = file.alt ?? `Picture from ${by}`;
  return (
    <button
      ref={place}
      type="button"
      aria-label={shown.problem ? `${alt}. ${shown.problem} Try again` : `${alt}. Open`}
      onClick={() => (shown.problem ? shown.retry() : setUi({ lightbox: { conversationId, fileId: file.id } }))}
      style={alone ? { aspectRatio: shape, width: `${widthOf(shape, width).toFixed(1)}rem` } : undefined}
      className={cn(
        'relative block max-w-full cursor-zoom-in overflow-hidden rounded-lg bg-sunken -outline-offset-2',
        !alone && 'aspect-square',
      )}
    >
      {blurhash && <Blur hash={blurhash} />}
      {shown.url && (
        <img
          src={shown.url}
          alt=""
          draggable={false}
          className="absolute inset-0 size-full animate-appear object-cover"
        />
      )}
      {shown.problem && (
        <span className="absolute inset-0 grid place-content-center justify-items-center gap-2 bg-sunken/90 p-4 text-center text-sm text-muted">
          <ImageOff size={22} aria-hidden />
          {shown.problem}
          <span className="font-semibold text-accent">Try again</span>
        </span>
      )}
    </button>
  );
}
