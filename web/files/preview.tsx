/** A look into a file without saving it, on demand: text, sound, video, PDF. Documents that could run scripts are never shown. */
import { Eye, FileText, Play } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { FileView } from '#client/types';
import { chat } from '../chat.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { takeTurn } from '../voice/turns.ts';
import { offerMedia } from './media.ts';
import { fileProblem, UNPLAYABLE } from './problems.ts';
import { useFile } from './use-file.ts';

const TEXT_BYTES = 64 * 1024;

type Kind = 'text' | 'audio' | 'video' | 'pdf';

function kindOf({ mime, name }: FileView): Kind | null {
  if (mime.startsWith('audio/')) return 'audio';
  if (/^video\/(?:mp4|webm|ogg|quicktime)$/.test(mime)) return 'video';
  if (mime === 'application/pdf') return 'pdf';
  // Plain text by its name, whatever the sender's system made of it; HTML and SVG come out as their source.
  if (
    mime.startsWith('text/') ||
    /\.(?:txt|md|csv|json|log|ya?ml|xml|svg|html?|[jt]sx?|css|py|rs|go|java|c|h|sh)$/i.test(name)
  ) {
    return 'text';
  }
  return null;
}

export function Preview({ file }: { file: FileView }) {
  const [open, setOpen] = useState(false);
  const kind = kindOf(file);
  if (kind === null) return null;
  if (kind === 'pdf') return <Pdf file={file} />;
  if (open) return kind === 'text' ? <Text file={file} /> : <Player file={file} kind={kind} />;
  const Icon = kind === 'text' ? Eye : Play;
  return (
    <Button
      shape="quiet"
      className="justify-start text-ink"
      aria-label={`${kind === 'text' ? 'Look into' : 'Play'} ${file.name}`}
      onClick={() => setOpen(true)}
    >
      <Icon size={17} aria-hidden /> {kind === 'text' ? 'Look into it' : 'Play'}
    </Button>
  );
}

function Text({ file }: { file: FileView }) {
  const [text, setText] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const end = new AbortController();
    const range = { start: 0, end: Math.min(TEXT_BYTES, file.size), signal: end.signal };
    const reading = file.size === 0 ? Promise.resolve(new Uint8Array()) : chat.readFile(file, range);
    reading.then(
      (bytes) => setText(new TextDecoder().decode(bytes)),
      (error: unknown) => !end.signal.aborted && setProblem(fileProblem(error)),
    );
    return () => end.abort();
  }, [file]);
  if (problem) return <Trouble text={problem} />;
  if (text === null) return <Spinner />;
  return (
    <pre
      // It scrolls, so the keyboard has to reach it.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      aria-label={`Beginning of ${file.name}`}
      className="max-h-72 w-96 max-w-full overflow-auto rounded-md bg-ink/6 p-3 font-mono text-xs whitespace-pre-wrap"
    >
      {text}
      {file.size > TEXT_BYTES && <span className="text-muted">{'\n'}… the rest is in the file</span>}
    </pre>
  );
}

/** From here and there in the file, as the player asks; where that does not work, from the whole of it. */
function Player({ file, kind }: { file: FileView; kind: 'audio' | 'video' }) {
  const [address, setAddress] = useState<string | null | undefined>();
  const whole = useFile(file, address === null);
  const [unplayable, setUnplayable] = useState(false);
  useEffect(() => {
    let isThere = true;
    let withdraw: (() => void) | undefined;
    void offerMedia(file).then((offer) => {
      if (!isThere) return offer?.withdraw();
      withdraw = offer?.withdraw;
      setAddress(offer?.address ?? null);
    });
    return () => {
      isThere = false;
      withdraw?.();
    };
  }, [file]);
  const src = address ?? whole.url;
  if (whole.problem) return <Trouble text={whole.problem} />;
  if (unplayable) return <Trouble text={UNPLAYABLE} />;
  if (!src) return <Spinner />;
  const props = {
    src,
    controls: true,
    autoPlay: true,
    'aria-label': file.name,
    // In parts it may have failed for a reason that the whole has not; and the whole says what is wrong with it.
    onError: () => (address === null ? setUnplayable(true) : setAddress(null)),
    onPlay: ({ currentTarget }: React.SyntheticEvent<HTMLMediaElement>) => takeTurn(currentTarget),
  };
  return kind === 'audio' ? (
    <audio {...props} className="w-80 max-w-full" />
  ) : (
    <video
      {...props}
      playsInline
      // Its place is there before it is.
      style={{ aspectRatio: (file.width ?? 16) / (file.height ?? 9) }}
      className="max-h-96 w-96 max-w-full rounded-lg bg-black"
    />
  );
}

/** The browser's own viewer, which keeps what it shows in a process of its own. Where there is none, the file can be saved. */
function Pdf({ file }: { file: FileView }) {
  const [open, setOpen] = useState(false);
  const whole = useFile(file, open);
  return (
    <>
      {navigator.pdfViewerEnabled && (
        <Button
          shape="quiet"
          className="justify-start text-ink"
          aria-label={`Look into ${file.name}`}
          onClick={() => setOpen(true)}
        >
          <FileText size={17} aria-hidden /> Look into it
        </Button>
      )}
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title={file.name}
        className="md:inset-8 md:top-8 md:left-8 md:h-auto md:max-h-none md:w-auto md:translate-x-0"
      >
        <div className="grid min-h-[60dvh] flex-1 place-items-center">
          {whole.problem && <Trouble text={whole.problem} />}
          {!whole.url && !whole.problem && <Spinner />}
          {whole.url && <iframe title={file.name} src={whole.url} className="size-full border-0" />}
        </div>
      </Dialog>
    </>
  );
}

function Trouble({ text }: { text: string }) {
  return (
    <p role="alert" className="max-w-72 px-1 text-sm text-danger">
      {text}
    </p>
  );
}
