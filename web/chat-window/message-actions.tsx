/** The bar beside a message that is pointed at or focused, and the menu and emoji picker that belong to it. */
import { Popover } from '@base-ui/react/popover';
import { Ellipsis, Pencil, Reply, SmilePlus } from 'lucide-react';
import { lazy, type RefObject, Suspense, useRef, useState } from 'react';
import { selectConversation } from '#client/select';
import type { MessageView } from '#client/types';
import { chat, underway, useChat, useMe } from '../chat.ts';
import { Button } from '../ui/button.tsx';
import { cn } from '../ui/cn.ts';
import { popupClass } from '../ui/menu.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { MessageMenu } from './message-menu.tsx';
import { allowedOn } from './permissions.ts';
import { quickEmoji, rememberEmoji } from './quick-emoji.ts';
import { useWindow } from './window-actions.ts';

const EmojiPicker = lazy(() => import('../composer/emoji-picker.tsx'));

export type OpenPart = 'menu' | 'quick' | 'picker' | null;

interface Props {
  message: MessageView;
  mine: boolean;
  open: OpenPart;
  onOpenChange: (open: OpenPart) => void;
  bubble: RefObject<HTMLElement | null>;
  row: RefObject<HTMLElement | null>;
}

export function MessageActions({ message, mine, open, onOpenChange, bubble, row }: Props) {
  const me = useMe().id;
  const conversation = useChat(selectConversation(message.conversationId));
  const { reply, edit } = useWindow();
  const more = useRef<HTMLButtonElement>(null);
  const smile = useRef<HTMLButtonElement>(null);
  const [fromButton, setFromButton] = useState(false);
  const allowed = allowedOn(message, conversation, me);

  const react = (emoji: string) => {
    onOpenChange(null);
    const already = message.reactions.find((reaction) => reaction.emoji === emoji && reaction.mine);
    if (already) return underway(chat.unreact(message.conversationId, message.id, already.tag));
    rememberEmoji(emoji);
    underway(chat.react(message.conversationId, message.id, emoji));
  };
  const toggle = (part: OpenPart) => {
    setFromButton(true);
    onOpenChange(open === part ? null : part);
  };
  const close = () => {
    setFromButton(false);
    onOpenChange(null);
  };
  const small = 'size-8 rounded-sm coarse:size-11';

  return (
    <>
      <div
        className={cn(
          'absolute z-10 hidden items-center max-md:bottom-full max-md:mb-0.5 md:top-1/2 md:-translate-y-1/2 rounded-md border border-line bg-raised p-0.5 shadow-low hovers:flex group-has-[:focus-visible]/row:flex group-focus-visible/row:flex',
          mine ? 'max-md:right-0 md:right-full md:mr-2' : 'max-md:left-0 md:left-full md:ml-2',
        )}
      >
        {allowed.react && (
          <Button
            ref={smile}
            shape="icon"
            className={small}
            aria-label="React"
            aria-expanded={open === 'quick'}
            onClick={() => toggle('quick')}
          >
            <SmilePlus size={17} aria-hidden />
          </Button>
        )}
        {allowed.reply && !allowed.edit && (
          <Button shape="icon" className={small} aria-label="Reply" onClick={() => reply(message.id)}>
            <Reply size={17} aria-hidden />
          </Button>
        )}
        {allowed.edit && (
          <Button shape="icon" className={small} aria-label="Edit" onClick={() => edit(message.id)}>
            <Pencil size={16} aria-hidden />
          </Button>
        )}
        <Button
          ref={more}
          shape="icon"
          className={small}
          aria-label="More actions"
          aria-haspopup="menu"
          aria-expanded={open === 'menu'}
          onClick={() => toggle('menu')}
        >
          <Ellipsis size={17} aria-hidden />
        </Button>
      </div>
      <MessageMenu
        message={message}
        allowed={allowed}
        open={open === 'menu'}
        onOpenChange={(next) => (next ? onOpenChange('menu') : close())}
        onReact={react}
        onMoreEmoji={() => setTimeout(() => onOpenChange('picker'))}
        anchor={fromButton ? more : bubble}
        returnTo={row}
      />
      <Popover.Root open={open === 'quick' || open === 'picker'} onOpenChange={(next) => !next && close()}>
        <Popover.Portal>
          <Popover.Positioner anchor={fromButton ? smile : bubble} sideOffset={6} className="z-50">
            <Popover.Popup finalFocus={row} aria-label="Choose a reaction" className={popupClass}>
              {open === 'quick' ? (
                <div className="flex gap-0.5">
                  {quickEmoji().map((emoji) => (
                    <Button
                      key={emoji}
                      shape="icon"
                      className="text-lg transition-transform hover:scale-120"
                      aria-label={`React with ${emoji}`}
                      onClick={() => react(emoji)}
                    >
                      {emoji}
                    </Button>
                  ))}
                  <Button shape="icon" aria-label="More emoji" onClick={() => onOpenChange('picker')}>
                    <SmilePlus size={18} aria-hidden />
                  </Button>
                </div>
              ) : (
                <Suspense fallback={<Spinner className="size-40" />}>
                  <EmojiPicker onPick={react} />
                </Suspense>
              )}
            </Popover.Popup>
          </Popover.Positioner>
        </Popover.Portal>
      </Popover.Root>
    </>
  );
}
