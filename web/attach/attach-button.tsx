/** The ordinary way to choose files. */
import { Paperclip } from 'lucide-react';
import { useRef } from 'react';
import { IconButton } from '../ui/icon-button.tsx';
import { addFiles } from './adding.ts';

export function AttachButton({ conversationId }: { conversationId: string }) {
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        onChange={({ target }) => {
          const files = [...(target.files ?? [])];
          target.value = '';
          void addFiles(conversationId, files);
        }}
      />
      <IconButton label="Attach" className="size-10 coarse:size-11" onClick={() => chooser.current?.click()}>
        <Paperclip size={20} aria-hidden />
      </IconButton>
    </>
  );
}
