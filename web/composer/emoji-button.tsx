/** Opens the emoji picker, which is loaded the first time somebody wants it. */
import { Popover } from '@base-ui/react/popover';
import { Smile } from 'lucide-react';
import { lazy, type RefObject, Suspense, useState } from 'react';
import { buttonClass } from '../ui/button.tsx';
import { popupClass } from '../ui/menu.tsx';
import { Spinner } from '../ui/spinner.tsx';

const EmojiPicker = lazy(() => import('./emoji-picker.tsx'));

interface Props {
  onPick: (emoji: string) => void;
  returnTo: RefObject<HTMLElement | null>;
}

export function EmojiButton({ onPick, returnTo }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <Popover.Root open={open} onOpenChange={(next) => setOpen(next)}>
      <Popover.Trigger aria-label="Emoji" className={buttonClass('icon', 'size-10')}>
        <Smile size={20} aria-hidden />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner side="top" align="end" sideOffset={12} className="z-50">
          <Popover.Popup aria-label="Emoji" finalFocus={returnTo} className={popupClass}>
            <Suspense fallback={<Spinner className="h-80 w-80" />}>
              <EmojiPicker
                onPick={(emoji) => {
                  onPick(emoji);
                  setOpen(false);
                }}
              />
            </Suspense>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
