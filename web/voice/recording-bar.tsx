/** Over the composer while something is recorded, and until it is sent: time, level, and what can be done with it. */
import { ArrowUp, Play, Square, Trash2 } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { timeWords } from '../files/words.ts';
import { IconButton } from '../ui/icon-button.tsx';
import type { Recording } from './recorder.ts';
import { Waveform } from './waveform.tsx';

interface Props {
  level: number;
  ms: number;
  /** What was said, when it has been stopped. */
  take: Recording | null;
  onStop: () => void;
  onSend: () => void;
  onCancel: () => void;
}

export function RecordingBar({ level, ms, take, onStop, onSend, onCancel }: Props) {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => bar.current?.querySelector<HTMLButtonElement>('[data-first]')?.focus(), []);
  return (
    <div
      ref={bar}
      role="group"
      aria-label={take ? 'Voice message, not sent yet' : 'Recording'}
      onKeyDown={(event) => event.key === 'Escape' && onCancel()}
      className="absolute inset-0 z-10 flex animate-rise items-center gap-2 rounded-xl bg-raised px-2"
    >
      <IconButton label="Throw away" onClick={onCancel}>
        <Trash2 size={18} aria-hidden />
      </IconButton>
      {take ? (
        <Listen take={take} />
      ) : (
        <>
          <span className="size-2.5 animate-pulse rounded-full bg-danger motion-reduce:animate-none" aria-hidden />
          <span role="timer" className="w-12 text-sm tabular-nums">
            {timeWords(ms)}
          </span>
          <span aria-hidden className="h-1.5 flex-1 overflow-hidden rounded-full bg-ink/10">
            <span
              style={{ width: `${level}%` }}
              className="block h-full rounded-full bg-accent transition-[width] duration-75"
            />
          </span>
          <IconButton label="Stop" data-first onClick={onStop}>
            <Square size={17} fill="currentColor" aria-hidden />
          </IconButton>
        </>
      )}
      <button
        type="button"
        aria-label="Send the voice message"
        onClick={onSend}
        className="grid size-10 shrink-0 cursor-pointer place-items-center rounded-lg bg-accent text-on-accent hover:bg-accent-strong coarse:size-11"
      >
        <ArrowUp size={20} strokeWidth={2.4} aria-hidden />
      </button>
    </div>
  );
}

function Listen({ take }: { take: Recording }) {
  const audio = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const url = URL.createObjectURL(take.file);
    if (audio.current) audio.current.src = url;
    return () => URL.revokeObjectURL(url);
  }, [take]);
  return (
    <>
      <IconButton
        label="Listen"
        data-first
        onClick={() => {
          const player = audio.current;
          if (player?.paused) void player.play();
          else player?.pause();
        }}
      >
        <Play size={18} aria-hidden />
      </IconButton>
      <Waveform levels={take.waveform} share={0} />
      <span className="w-10 text-right text-sm text-muted tabular-nums">{timeWords(take.durationMs)}</span>
      {/* It is being recorded: nobody has written it down. */}
      {/* oxlint-disable-next-line jsx-a11y/media-has-caption */}
      <audio ref={audio} />
    </>
  );
}
