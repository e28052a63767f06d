/** Where a picture is described for people who cannot see it. */
import { useId, useRef, useState } from 'react';
import { Button } from '../ui/button.tsx';
import { cn } from '../ui/cn.ts';
import { Dialog } from '../ui/dialog.tsx';
import { inputClass } from '../ui/field.tsx';
import { type Item, setItem } from './tray-store.ts';

/** Readers take no more of it. */
const MOST = 1_000;

interface Props {
  conversationId: string;
  item: Item;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

export function AltText(props: Props) {
  const box = useRef<HTMLTextAreaElement>(null);
  return (
    <Dialog open={props.open} onOpenChange={props.onOpenChange} title="Describe the picture" initialFocus={box}>
      <Description {...props} box={box} />
    </Dialog>
  );
}

function Description({
  conversationId,
  item,
  onOpenChange,
  box,
}: Props & { box: React.RefObject<HTMLTextAreaElement | null> }) {
  const [alt, setAlt] = useState(item.alt);
  const hint = useId();
  function keep(event: React.FormEvent) {
    event.preventDefault();
    setItem(conversationId, item.id, { alt: alt.trim() });
    onOpenChange(false);
  }
  return (
    <form onSubmit={keep} className="grid min-h-0 gap-3 overflow-y-auto px-5 pb-5">
      {item.preview && (
        <img src={item.preview} alt="" className="max-h-48 w-full rounded-lg bg-sunken object-contain" />
      )}
      <p id={hint} className="text-sm text-muted">
        Describe it for people who cannot see it.
      </p>
      <textarea
        ref={box}
        aria-label="Description"
        aria-describedby={hint}
        rows={3}
        maxLength={MOST}
        dir="auto"
        value={alt}
        onChange={(event) => setAlt(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) keep(event);
        }}
        className={cn(inputClass, 'h-auto resize-none py-2')}
      />
      <Button type="submit" shape="primary" className="justify-self-end">
        Save
      </Button>
    </form>
  );
}
