/** A modal window: centred card, sheet from the right, or the whole screen on a phone. Focus returns to where it came from. */
import { Dialog as Base } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import type { ReactNode, RefObject } from 'react';
import { buttonClass } from './button.tsx';
import { cn } from './cn.ts';

interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  form?: 'card' | 'sheet';
  /** Where focus starts; by default at the first control. */
  initialFocus?: RefObject<HTMLElement | null>;
  hideTitle?: boolean;
  className?: string;
}

const FORMS = {
  card: 'inset-x-0 bottom-0 max-h-[92dvh] rounded-t-xl md:inset-auto md:top-[12vh] md:left-1/2 md:w-[28rem] md:max-h-[76dvh] md:-translate-x-1/2 md:rounded-xl data-[starting-style]:translate-y-2',
  sheet: 'inset-y-0 right-0 w-full md:w-[24rem] md:border-l data-[starting-style]:translate-x-4',
};

export function Dialog({ form = 'card', hideTitle, initialFocus, ...props }: DialogProps) {
  return (
    <Base.Root open={props.open} onOpenChange={(open) => props.onOpenChange(open)}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-scrim transition-opacity duration-150 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0" />
        <Base.Popup
          {...(initialFocus ? { initialFocus } : {})}
          className={cn(
            'fixed z-40 flex flex-col border-line bg-surface shadow-mid transition-[opacity,transform] duration-150 outline-none data-[ending-style]:opacity-0 data-[starting-style]:opacity-0 safe-bottom safe-top',
            FORMS[form],
            props.className,
          )}
        >
          <div className={cn('flex items-center gap-2 px-5 pt-4 pb-2', hideTitle && 'sr-only')}>
            <Base.Title className="flex-1 text-lg font-semibold text-balance">{props.title}</Base.Title>
            <Base.Close aria-label="Close" className={buttonClass('icon', '-mr-2')}>
              <X size={18} aria-hidden />
            </Base.Close>
          </div>
          {props.description && (
            <Base.Description className="px-5 pb-2 text-sm text-muted">{props.description}</Base.Description>
          )}
          {props.children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
