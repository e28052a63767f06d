/** The files of a message, above its caption: pictures together, then recordings, then the rest. */
import type { FileView } from '#client/types';
import { cn } from '../ui/cn.ts';
import { VoicePlayer } from '../voice/voice-player.tsx';
import { FileCard } from './file-card.tsx';
import { Picture } from './picture.tsx';
import { Preview } from './preview.tsx';
import { isOpen } from './use-file.ts';

interface Props {
  files: readonly FileView[];
  by: string;
  mine: boolean;
  stored: boolean;
}

export function Files({ files, by, mine, stored }: Props) {
  const pictures = files.filter(({ kind }) => kind === 'image');
  return (
    <div className="-mx-1.5 mb-1 grid grid-cols-[minmax(0,auto)] justify-start gap-1.5">
      {pictures.length > 0 && (
        <div
          className={cn(
            'grid max-w-full gap-1',
            pictures.length === 1 ? 'grid-cols-[minmax(0,auto)]' : 'w-80',
            pictures.length > 1 && (pictures.length % 2 === 0 && pictures.length < 6 ? 'grid-cols-2' : 'grid-cols-3'),
          )}
        >
          {pictures.map((file) => (
            <Picture
              key={file.id}
              file={file}
              alone={pictures.length === 1}
              by={by}
              there={stored || isOpen(file.thumbnail ?? file)}
            />
          ))}
        </div>
      )}
      {files.map((file) => {
        if (file.kind === 'image') return null;
        if (file.kind === 'voice') return <VoicePlayer key={file.id} file={file} mine={mine} />;
        return (
          <div key={file.id} className="stack w-72 max-w-full gap-1">
            <FileCard file={file} stored={stored} />
            {stored && <Preview file={file} />}
          </div>
        );
      })}
    </div>
  );
}
