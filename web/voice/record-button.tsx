/**
 * Speaking instead of writing. Held, it records until it is let go and then sends; pressed shortly, or with the keyboard, it stays on
 * until it is stopped, to be listened to first. Slid to the left, it is thrown away; slid up, it stays on.
 */
import { Mic } from 'lucide-react';
import { type PointerEvent, useEffect, useRef, useState } from 'react';
import { sendFiles } from '../attach/sending.ts';
import { chat } from '../chat.ts';
import { tell } from '../ui/toast.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import { RecordingBar } from './recording-bar.tsx';
import { type Recorder, type Recording, record } from './recorder.ts';

/** A finger that goes this far to the left while it holds throws away; this far up, and it need not hold any more. */
const SLIDE_PX = 80;
/** Shorter than this is a press, not a hold. */
const HOLD_MS = 400;
/** Nobody said anything. */
const SHORTEST_MS = 500;

export function RecordButton({
  conversationId,
  replyTo,
  onSent,
}: {
  conversationId: string;
  replyTo: string | null;
  onSent: () => void;
}) {
  const [state, setState] = useState<{ level: number; ms: number; take: Recording | null } | null>(null);
  const recorder = useRef<Recorder>(undefined);
  const pressed = useRef<{ at: number; x: number; y: number } | null>(null);
  const sendAtEnd = useRef(false);
  const asking = useRef(false);
  /** Thrown away, or nobody is here any more who could stop it. */
  const gone = useRef(false);
  useEffect(() => {
    return () => {
      gone.current = true;
      recorder.current?.cancel();
    };
  }, []);

  function send({ file, durationMs, waveform }: Recording): void {
    const ending = file.type.includes('mp4') ? 'm4a' : file.type.includes('ogg') ? 'ogg' : 'webm';
    const files = [{ file, name: `voice.${ending}`, voice: true, durationMs, waveform }];
    sendFiles(conversationId, { text: '', replyTo, files });
    setState(null);
    onSent();
  }

  async function begin(): Promise<void> {
    // The browser may still be asking the person.
    if (asking.current || recorder.current) return;
    asking.current = true;
    gone.current = false;
    sendAtEnd.current = false;
    try {
      const running = await record((level, ms) => {
        setState((before) => before && { ...before, level, ms });
        chat.typing(conversationId, true);
      });
      recorder.current = running;
      asking.current = false;
      if (gone.current) running.cancel();
      setState({ level: 0, ms: 0, take: null });
      const take = await running.done;
      recorder.current = undefined;
      chat.typing(conversationId, false);
      if (!take || take.durationMs < SHORTEST_MS) setState(null);
      else if (sendAtEnd.current) send(take);
      else setState((before) => before && { ...before, take });
    } catch (error) {
      asking.current = false;
      setState(null);
      const refused = error instanceof DOMException && error.name === 'NotAllowedError';
      tell(
        refused
          ? 'The browser does not let Parley use the microphone. You can allow it beside the address.'
          : 'No microphone was found.',
      );
    }
  }
  function finish(andSend: boolean): void {
    sendAtEnd.current = andSend;
    if (state?.take && andSend) send(state.take);
    else recorder.current?.stop();
  }
  function cancel(): void {
    gone.current = true;
    recorder.current?.cancel();
    setState(null);
  }
  const onPointerDown = ({ button, clientX, clientY, currentTarget, pointerId }: PointerEvent) => {
    if (button !== 0) return;
    currentTarget.setPointerCapture(pointerId);
    pressed.current = { at: Date.now(), x: clientX, y: clientY };
    void begin();
  };
  const onPointerMove = ({ clientX, clientY }: PointerEvent) => {
    const from = pressed.current;
    if (!from) return;
    if (from.x - clientX > SLIDE_PX) cancel();
    if (from.x - clientX > SLIDE_PX || from.y - clientY > SLIDE_PX) pressed.current = null;
  };
  const onPointerUp = () => {
    const from = pressed.current;
    pressed.current = null;
    if (from && Date.now() - from.at > HOLD_MS) finish(true);
  };

  return (
    <>
      {state && <RecordingBar {...state} onStop={() => finish(false)} onSend={() => finish(true)} onCancel={cancel} />}
      <IconButton
        label="Record a voice message"
        className="size-10 touch-none coarse:size-11"
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={() => {
          pressed.current = null;
        }}
        // The keyboard has no pointer, and its press is a short one.
        onClick={({ detail }) => detail === 0 && void begin()}
      >
        <Mic size={20} aria-hidden />
      </IconButton>
    </>
  );
}
