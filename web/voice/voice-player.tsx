/** A recorded message: play, seek in its waveform, faster if one likes. One plays at a time. */
import { Pause, Play } from 'lucide-react';
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import type { FileView } from '#client/types';
import { UNPLAYABLE } from '../files/problems.ts';
import { useFile } from '../files/use-file.ts';
import { timeWords } from '../files/words.ts';
import { isHeard, markHeard } from './heard.ts';
import { takeTurn } from './turns.ts';
import { Waveform } from './waveform.tsx';

const SPEEDS = [1, 1.5, 2];
const STEP_S = 5;

/** Behind the end of anything. Recordings do not say how long they are; a browser that goes there finds out, and can seek from then on. */
const FAR_S = 1e7;

export function VoicePlayer({ file, mine }: { file: FileView; mine: boolean }) {
  const [wanted, setWanted] = useState(false);
  const { url, problem, retry } = useFile(file, wanted);
  const audio = useRef<HTMLAudioElement>(null);
  const [on, setOn] = useState(false);
  const [at, setAt] = useState(0);
  const [unplayable, setUnplayable] = useState(false);
  /** Its length is being found out. */
  const measuring = useRef(false);
  const place = useRef(0);
  const [speed, setSpeed] = useState(1);
  const [heard, setHeard] = useState(() => mine || isHeard(file.id));
  const total = (file.durationMs ?? 0) / 1_000;

  useEffect(() => () => audio.current?.pause(), []);

  function onLength({ currentTarget }: React.SyntheticEvent<HTMLAudioElement>): void {
    if (!Number.isFinite(currentTarget.duration)) {
      measuring.current = true;
      currentTarget.currentTime = FAR_S;
      return;
    }
    const isFirst = currentTarget.dataset.ready === undefined;
    currentTarget.dataset.ready = '';
    if (!isFirst) return;
    measuring.current = false;
    currentTarget.currentTime = place.current;
    void currentTarget.play().catch(() => {});
  }
  function toggle(): void {
    if (!url) return problem ? retry() : setWanted(true);
    if (on) audio.current?.pause();
    else void audio.current?.play().catch(() => {});
  }
  function seek(seconds: number): void {
    const next = Math.min(total, Math.max(0, seconds));
    setAt(next);
    place.current = next;
    if (audio.current && !measuring.current) audio.current.currentTime = next;
  }
  const onKey = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowRight: at + STEP_S, ArrowLeft: at - STEP_S, Home: 0, End: total };
    const to = steps[event.key];
    if (to === undefined) return;
    // Otherwise the list scrolls to its end.
    event.preventDefault();
    event.stopPropagation();
    seek(to);
  };
  const onPointer = ({ currentTarget, clientX, buttons }: PointerEvent) => {
    if (buttons !== 1) return;
    const { left, width } = currentTarget.getBoundingClientRect();
    seek(((clientX - left) / width) * total);
  };

  return (
    <div className="grid w-72 max-w-full gap-1">
      <div className="flex items-center gap-2.5 rounded-lg p-1">
        <button
          type="button"
          aria-label={on ? 'Pause' : `Play the voice message, ${timeWords(total * 1_000)}`}
          onClick={toggle}
          className="grid size-11 shrink-0 cursor-pointer place-items-center rounded-full bg-accent text-on-accent transition-colors hover:bg-accent-strong"
        >
          {on ? <Pause size={20} aria-hidden /> : <Play size={20} aria-hidden className="translate-x-px" />}
        </button>
        <span
          role="slider"
          tabIndex={0}
          aria-label="Place in the recording"
          aria-valuemin={0}
          aria-valuemax={Math.round(total)}
          aria-valuenow={Math.round(at)}
          aria-valuetext={`${timeWords(at * 1_000)} of ${timeWords(total * 1_000)}`}
          onKeyDown={onKey}
          onPointerDown={onPointer}
          onPointerMove={onPointer}
          className="flex min-h-11 min-w-0 flex-1 cursor-pointer touch-none items-center rounded-sm"
        >
          <Waveform levels={file.waveform} share={total > 0 ? at / total : 0} />
        </span>
        <span className="flex w-11 shrink-0 flex-col items-end text-xs leading-4 text-muted tabular-nums">
          <span className="flex items-center gap-1">
            {!heard && (
              <span className="size-2 rounded-full bg-fresh">
                <span className="sr-only">Not listened to yet</span>
              </span>
            )}
            {timeWords((on || at > 0 ? total - at : total) * 1_000)}
          </span>
          <button
            type="button"
            aria-label={`Speed ${speed}`}
            onClick={() => {
              const next = SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length] ?? 1;
              setSpeed(next);
              if (audio.current) audio.current.playbackRate = next;
            }}
            className="cursor-pointer rounded-sm px-1 font-semibold hover:bg-hover hover:text-ink coarse:py-1"
          >
            {speed}×
          </button>
        </span>
      </div>
      {(problem !== null || unplayable) && (
        <p role="alert" className="px-1 text-sm text-danger">
          {problem ?? UNPLAYABLE}
        </p>
      )}
      {url && (
        // What somebody says is sealed, and nobody has written it down.
        // oxlint-disable-next-line jsx-a11y/media-has-caption
        <audio
          ref={audio}
          src={url}
          onPlay={({ currentTarget }) => {
            takeTurn(currentTarget);
            currentTarget.playbackRate = speed;
            markHeard(file.id);
            setHeard(true);
            setOn(true);
          }}
          onPause={() => setOn(false)}
          onLoadedMetadata={onLength}
          onDurationChange={onLength}
          onTimeUpdate={({ currentTarget }) => {
            if (!measuring.current) setAt(Math.min(total, currentTarget.currentTime));
          }}
          onEnded={() => {
            if (!measuring.current) seek(0);
          }}
          onError={() => setUnplayable(true)}
        />
      )}
    </div>
  );
}
