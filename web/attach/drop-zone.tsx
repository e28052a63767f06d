/** Files that are dragged over the conversation may be let go anywhere in it. Text that is dropped stays text. */
import { ImagePlus } from 'lucide-react';
import { type DragEvent, type ReactNode, useRef, useState } from 'react';
import { addFiles } from './tray-state.ts';

const hasFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer.types.includes('Files');

interface Props {
  conversationId: string;
  /** Nothing new can be written here. */
  closed: boolean;
  className: string;
  children: ReactNode;
}

export function DropZone({ conversationId, closed, className, children }: Props) {
  const [over, setOver] = useState(false);
  // Each element that is crossed is entered and left.
  const depth = useRef(0);
  const move = (event: DragEvent, by: 1 | -1) => {
    if (closed || !hasFiles(event)) return;
    depth.current = Math.max(0, depth.current + by);
    setOver(depth.current > 0);
  };
  return (
    <section
      aria-label="Conversation"
      className={className}
      onDragEnter={(event) => move(event, 1)}
      onDragLeave={(event) => move(event, -1)}
      onDragOver={(event) => !closed && hasFiles(event) && event.preventDefault()}
      onDrop={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        depth.current = 0;
        setOver(false);
        if (!closed) void addFiles(conversationId, [...event.dataTransfer.files]);
      }}
    >
      {children}
      {over && (
        <div className="pointer-events-none absolute inset-3 z-30 grid animate-rise place-content-center justify-items-center gap-3 rounded-xl border-2 border-dashed border-accent bg-accent-soft/95 text-accent">
          <ImagePlus size={40} strokeWidth={1.5} aria-hidden />
          <p className="text-lg font-semibold">Let go to add it</p>
        </div>
      )}
    </section>
  );
}
