/** One file in the tray: what it is, what its sender should know of it, and how to take it out again. */
import { Check, Info, X } from 'lucide-react';
import { useState } from 'react';
import { FileIcon } from '../files/file-card.tsx';
import { sizeWords } from '../files/sizes.ts';
import { splitName } from '../files/words.ts';
import { cn } from '../ui/cn.ts';
import { Spinner } from '../ui/spinner.tsx';
import { Tooltip } from '../ui/tooltip.tsx';
import { AltText } from './alt-text.tsx';
import { type Item, removeItem } from './tray-store.ts';

interface Props {
  conversationId: string;
  item: Item;
  onRemoved: () => void;
}

export function Card({ conversationId, item, onRemoved }: Props) {
  const { id, source, isPicture, made, preview } = item;
  const [describing, setDescribing] = useState(false);
  const isShown = isPicture && (preview !== null || made === null);
  return (
    <li
      aria-busy={made === null}
      className={cn(
        'relative animate-rise overflow-hidden rounded-lg border border-line bg-surface',
        isShown ? 'size-28' : 'flex h-16 w-full md:w-60 items-center gap-3 pr-10 pl-3 coarse:pr-12',
      )}
    >
      {isShown ? <Picture item={item} /> : <Plain item={item} />}
      {isShown && made && (
        <button
          type="button"
          aria-label={`Describe ${source.name}`}
          onClick={() => setDescribing(true)}
          className="absolute bottom-0 left-0 p-1.5 text-xs font-semibold text-on-brand -outline-offset-4 coarse:min-h-11 coarse:min-w-11 coarse:pt-4"
        >
          <span className="flex items-center gap-1 rounded-sm bg-brand/85 px-1.5 py-0.5">
            {item.alt && <Check size={12} strokeWidth={3} aria-hidden />} Describe
          </span>
        </button>
      )}
      {item.note && isShown && (
        <Tooltip text={item.note}>
          <span
            role="img"
            aria-label={item.note}
            className="absolute top-1.5 left-1.5 grid size-6 place-items-center rounded-full bg-brand/85 text-on-brand"
          >
            <Info size={14} aria-hidden />
          </span>
        </Tooltip>
      )}
      <button
        type="button"
        aria-label={`Remove ${source.name}`}
        onClick={() => {
          removeItem(conversationId, id);
          onRemoved();
        }}
        className="absolute top-0 right-0 grid size-9 place-items-center -outline-offset-4 coarse:size-11"
      >
        <span className="grid size-6 place-items-center rounded-full bg-brand/85 text-on-brand">
          <X size={14} strokeWidth={2.5} aria-hidden />
        </span>
      </button>
      <AltText conversationId={conversationId} item={item} open={describing} onOpenChange={setDescribing} />
    </li>
  );
}

function Picture({ item: { source, alt, made, preview } }: { item: Item }) {
  return (
    <>
      {preview && (
        <img
          src={preview}
          alt={alt || source.name}
          title={made ? `${source.name}, ${sizeWords(made.file.size)}` : source.name}
          className={cn('size-full object-cover transition-opacity', !made && 'opacity-50')}
        />
      )}
      {!made && <Spinner label={`Getting ${source.name} ready`} className="absolute inset-0" />}
    </>
  );
}

function Plain({ item: { source, note } }: { item: Item }) {
  const [stem, ending] = splitName(source.name);
  return (
    <>
      <span className="shrink-0 text-accent">
        <FileIcon mime={source.type} />
      </span>
      <div className="min-w-0 flex-1 text-sm">
        <p className="flex font-medium" title={source.name}>
          <span className="truncate whitespace-pre">{stem}</span>
          <span className="shrink-0 whitespace-pre">{ending}</span>
        </p>
        <p className="line-clamp-2 text-xs text-muted" title={note ?? undefined}>
          {note ?? sizeWords(source.size)}
        </p>
      </div>
    </>
  );
}
