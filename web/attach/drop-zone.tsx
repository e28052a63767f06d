/** A conversation onto which files can be dropped. Text that is dropped stays text: it goes where it is let go. */
import { Inbox } from 'lucide-react';
import { type DragEvent, type ReactNode, useEffect, useState } from 'react';
import { addFiles } from './adding.ts';

interface Props {
  conversationId: string;
  /** Nothing can be written there now. */
  closed: boolean;
  className: string;
  children: ReactNode;
}

export function DropZone({ conversationId, closed, className, children }: Props) {
  const [over, setOver] = useState(false);
  useEffect(keepThePage, []);
  const isFor = (event: DragEvent) => !closed && hasFiles(event.dataTransfer);
  return (
    <section
      aria-label="Conversation"
      className={className}
      onDragEnter={(event) => isFor(event) && setOver(true)}
      onDragOver={(event) => {
        if (!isFor(event)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = 'copy';
      }}
      onDragLeave={(event) => {
        // Into a child is not away.
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        setOver(false);
        if (!isFor(event)) return;
        event.preventDefault();
        void addFiles(conversationId, [...event.dataTransfer.files]);
      }}
    >
      {children}
      {over && (
        <div
          role="status"
          className="pointer-events-none absolute inset-0 z-30 grid animate-rise place-items-center bg-surface/85 p-4 backdrop-blur-sm motion-reduce:animate-none"
        >
          <div className="grid size-full place-content-center justify-items-center gap-3 rounded-xl border-2 border-dashed border-accent text-center text-accent">
            <Inbox size={44} strokeWidth={1.4} aria-hidden className="animate-breathe motion-reduce:animate-none" />
            <p className="text-xl font-semibold">Let go to add it</p>
            <p className="text-sm text-muted">You can look at it once more before it is sent.</p>
          </div>
        </div>
      )}
    </section>
  );
}

export const hasFiles = ({ types }: DataTransfer): boolean => types.includes('Files');

/** A file that misses would be opened in place of this page. */
function keepThePage() {
  const end = new AbortController();
  const stop = (event: globalThis.DragEvent) => {
    if (event.dataTransfer && hasFiles(event.dataTransfer)) event.preventDefault();
  };
  addEventListener('dragover', stop, { signal: end.signal });
  addEventListener('drop', stop, { signal: end.signal });
  return () => end.abort();
}
