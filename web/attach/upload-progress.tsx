/** Under the files of my own message that is on its way: how far it is, and how to hold or stop it. */
import { Pause, Play, X } from 'lucide-react';
import { useEffect } from 'react';
import type { MessageView, Progress } from '#client/types';
import { chat, useSignals } from '../chat.ts';
import { buttonClass } from '../ui/button.tsx';
import { Tooltip } from '../ui/tooltip.tsx';
import { progressWords } from '../files/sizes.ts';

/** Where uploads of this page were when they stopped, by message. */
const reached = new Map<string, Progress>();

export function UploadProgress({ message }: { message: MessageView }) {
  const { id, seq, send, content } = message;
  const now = useSignals((state) => state.uploads[id]);
  useEffect(() => {
    if (seq !== null) reached.delete(id);
    else if (now) reached.set(id, now);
  }, [id, seq, now]);
  const isPaused = send.step === 'failed' && send.reason === 'paused';
  const isGoing = send.step === 'sending' || send.step === 'waiting';
  if (seq !== null || content.kind !== 'text' || !content.files?.length || !(isPaused || isGoing)) return null;

  const progress = now ?? reached.get(id);
  return <Bar message={message} progress={progress} isPaused={isPaused} isUnderWay={now !== undefined} />;
}

interface BarProps {
  message: MessageView;
  progress: Progress | undefined;
  isPaused: boolean;
  isUnderWay: boolean;
}

function Bar({ message, progress, isPaused, isUnderWay }: BarProps) {
  const { conversationId, id, send } = message;
  const share = progress ? Math.min(1, progress.done / progress.total) : 0;
  const figures = progress && progressWords(progress.done, progress.total);
  const state = stateWords(isPaused, isUnderWay && send.step === 'sending', share);
  return (
    <div className="mt-1.5 flex w-64 max-w-full items-center gap-1">
      <div className="min-w-0 flex-1">
        <p className="flex justify-between gap-3 text-xs text-own-muted tabular-nums">
          <span className="truncate">{state}</span>
          <span className="shrink-0">{figures}</span>
        </p>
        <div
          role="progressbar"
          aria-label="Upload"
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(share * 100)}
          aria-valuetext={[state, figures].filter(Boolean).join(', ')}
          className="mt-1 h-1.5 overflow-hidden rounded-full bg-ink/12"
        >
          <div
            className={`h-full origin-left rounded-full transition-transform duration-200 motion-reduce:transition-none ${isPaused ? 'bg-own-muted' : 'bg-accent'}`}
            style={{ transform: `scaleX(${share})` }}
          />
        </div>
      </div>
      {isPaused ? (
        <Act label="Resume" onClick={() => chat.retry(conversationId, id)} icon={Play} />
      ) : (
        isUnderWay && <Act label="Pause" onClick={() => chat.pause(conversationId, id)} icon={Pause} />
      )}
      <Act label="Cancel" onClick={() => chat.discard(conversationId, id)} icon={X} />
    </div>
  );
}

function stateWords(isPaused: boolean, isMoving: boolean, share: number): string {
  if (isPaused) return 'Paused';
  if (!isMoving) return 'Waiting';
  return share < 1 ? 'Sending' : 'Almost there';
}

interface ActProps {
  label: string;
  icon: typeof Pause;
  onClick: () => void;
}

function Act({ label, icon: Icon, onClick }: ActProps) {
  return (
    <Tooltip text={label}>
      <button
        type="button"
        aria-label={`${label} the upload`}
        onClick={onClick}
        className={buttonClass('icon', 'size-8 text-own-muted')}
      >
        <Icon size={16} aria-hidden />
      </button>
    </Tooltip>
  );
}
