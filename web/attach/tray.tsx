/** What is about to be sent, above the text: looked at once more, described, taken away. */
import { Captions, X } from 'lucide-react';
import { useState } from 'react';
import { FileIcon } from '../files/file-card.tsx';
import { sizeWords } from '../files/sizes.ts';
import { Button } from '../ui/button.tsx';
import { cn } from '../ui/cn.ts';
import { Dialog } from '../ui/dialog.tsx';
import { inputClass } from '../ui/field.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { describe, removeItem, setOriginal, type TrayItem, useTray } from './tray-state.ts';

const LONGEST_ALT = 500;

export function Tray({ conversationId }: { conversationId: string }) {
  const { items, original } = useTray(conversationId);
  const [describing, setDescribing] = useState<string | null>(null);
  if (items.length === 0) return null;
  const described = items.find(({ id }) => id === describing);
  return (
    <div className="grid gap-2 border-b border-line/70 p-2.5">
      <ul aria-label="Files to send" className="flex gap-2 overflow-x-auto pb-1">
        {items.map((item) => (
          <Card
            key={item.id}
            item={item}
            onDescribe={() => setDescribing(item.id)}
            onRemove={() => removeItem(conversationId, item.id)}
          />
        ))}
      </ul>
      {items.some(({ picture }) => picture) && (
        <label className="flex w-fit cursor-pointer items-center gap-2 px-1 text-sm text-muted">
          <input
            type="checkbox"
            checked={original}
            onChange={({ target }) => setOriginal(conversationId, target.checked)}
            className="size-4"
          />
          Full size
        </label>
      )}
      {described && (
        <Describing
          item={described}
          onSave={(alt) => {
            describe(conversationId, described.id, alt);
            setDescribing(null);
          }}
          onClose={() => setDescribing(null)}
        />
      )}
    </div>
  );
}

interface CardProps {
  item: TrayItem;
  onDescribe: () => void;
  onRemove: () => void;
}

function Card({ item, onDescribe, onRemove }: CardProps) {
  const { source, url, ready, picture, alt } = item;
  return (
    <li className="relative shrink-0">
      {picture ? (
        <span className="grid size-24 place-items-center overflow-hidden rounded-lg bg-sunken">
          {url && <img src={url} alt={alt || source.name} className="size-full object-cover" />}
        </span>
      ) : (
        <span className="flex h-24 w-44 flex-col justify-between rounded-lg bg-sunken p-2.5">
          <span className="text-accent">
            <FileIcon mime={source.type} />
          </span>
          <span className="grid leading-tight">
            <span className="truncate text-sm font-medium" title={source.name}>
              {source.name}
            </span>
            <span className="text-xs text-muted">{sizeWords(source.size)}</span>
          </span>
        </span>
      )}
      {!ready && (
        <span className="absolute inset-0 grid place-items-center rounded-lg bg-surface/60">
          <Spinner />
        </span>
      )}
      {picture && (
        <button
          type="button"
          aria-label={`Describe ${source.name}`}
          title="Describe it for people who cannot see it"
          onClick={onDescribe}
          className={cn(CORNER, 'bottom-1 left-1', alt && 'bg-accent text-on-accent')}
        >
          <Captions size={16} aria-hidden />
        </button>
      )}
      <button
        type="button"
        aria-label={`Remove ${source.name}`}
        onClick={onRemove}
        className={cn(CORNER, 'top-1 right-1')}
      >
        <X size={16} aria-hidden />
      </button>
    </li>
  );
}

const CORNER =
  'absolute grid size-7 cursor-pointer place-items-center rounded-full bg-raised/90 text-ink shadow-low hover:bg-raised coarse:size-9';

function Describing({ item, onSave, onClose }: { item: TrayItem; onSave: (alt: string) => void; onClose: () => void }) {
  const [alt, setAlt] = useState(item.alt);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="What is to be seen?"
      description="Read out to people who cannot see the picture. Only people in this conversation get it."
    >
      <form
        className="grid gap-3 px-5 pt-1 pb-5"
        onSubmit={(event) => {
          event.preventDefault();
          // The form of the composer is around it in React's tree.
          event.stopPropagation();
          onSave(alt);
        }}
      >
        {item.url && <img src={item.url} alt="" className="max-h-48 justify-self-center rounded-lg" />}
        <input
          autoFocus
          aria-label="Description"
          maxLength={LONGEST_ALT}
          value={alt}
          onChange={({ target }) => setAlt(target.value)}
          className={inputClass}
        />
        <Button type="submit" shape="primary">
          Save
        </Button>
      </form>
    </Dialog>
  );
}
