/** Any file: what it is, how large, and a way to get it. */
import { Download, File, FileArchive, FileAudio, FileCode, FileText, FileVideo, Image, X } from 'lucide-react';
import type { FileView } from '#client/types';
import { Ring } from './ring.tsx';
import { useDownload } from './use-download.ts';
import { progressWords, sizeWords } from './sizes.ts';
import { splitName } from './words.ts';

export function FileCard({ file, stored }: { file: FileView; stored: boolean }) {
  const { name, size } = file;
  const { progress, problem, start, cancel } = useDownload(file);
  const [stem, ending] = splitName(name);
  return (
    <div className="grid w-72 max-w-full gap-1">
      <div className="flex items-center gap-3 rounded-lg bg-ink/5 p-2 pr-1">
        <span className="grid size-11 shrink-0 place-items-center rounded-md bg-accent-soft text-accent">
          <FileIcon mime={file.mime} />
        </span>
        <span className="grid min-w-0 flex-1 leading-tight">
          <span className="flex min-w-0 text-sm font-semibold" title={name}>
            <span className="truncate whitespace-pre">{stem}</span>
            <span className="shrink-0 whitespace-pre">{ending}</span>
          </span>
          <span className="text-xs text-muted tabular-nums">
            {progress ? progressWords(progress.done, progress.total) : sizeWords(size)}
          </span>
        </span>
        {progress ? (
          <button type="button" aria-label={`Stop downloading ${name}`} onClick={cancel} className={BUTTON}>
            <Ring progress={progress} label={`Downloading ${name}`}>
              <X size={17} aria-hidden />
            </Ring>
          </button>
        ) : stored ? (
          <button type="button" aria-label={`Download ${name}`} onClick={start} className={BUTTON}>
            <Download size={19} aria-hidden />
          </button>
        ) : null}
      </div>
      {problem && (
        <p role="alert" className="max-w-72 px-1 text-sm text-danger">
          {problem}
        </p>
      )}
    </div>
  );
}

const BUTTON =
  'grid size-11 shrink-0 cursor-pointer place-items-center rounded-full text-muted hover:bg-hover hover:text-ink';

const ICONS = {
  image: Image,
  audio: FileAudio,
  video: FileVideo,
  archive: FileArchive,
  code: FileCode,
  text: FileText,
  other: File,
};

export function FileIcon({ mime }: { mime: string }) {
  const Icon = ICONS[sortOf(mime)];
  return <Icon size={21} aria-hidden />;
}

function sortOf(mime: string): keyof typeof ICONS {
  const [kind] = mime.split('/');
  if (kind === 'image' || kind === 'audio' || kind === 'video') return kind;
  if (/zip|compressed|x-tar|7z|rar/.test(mime)) return 'archive';
  if (/json|javascript|xml|x-sh|yaml/.test(mime)) return 'code';
  return kind === 'text' || /pdf|document|msword|rtf/.test(mime) ? 'text' : 'other';
}
