/** Everything that can be done with a message, as a menu: for the "More" button, a long press, and the keyboard. */
import { Menu } from '@base-ui/react/menu';
import { CheckCheck, Copy, Pencil, Reply, SmilePlus, Trash2 } from 'lucide-react';
import type { RefObject } from 'react';
import type { MessageView } from '#client/types';
import { fullTime } from '../time.ts';
import { copyText } from '../ui/copy.ts';
import { MenuItem, popupClass } from '../ui/menu.tsx';
import type { Allowed } from './permissions.ts';
import { quickEmoji } from './quick-emoji.ts';
import { useWindow } from './window-actions.ts';

interface Props {
  message: MessageView;
  allowed: Allowed;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onReact: (emoji: string) => void;
  onMoreEmoji: () => void;
  /** What the menu hangs on, and where focus returns to. */
  anchor: RefObject<HTMLElement | null>;
  returnTo: RefObject<HTMLElement | null>;
}

export function MessageMenu({ message, allowed, open, onOpenChange, onReact, onMoreEmoji, anchor, returnTo }: Props) {
  const { reply, edit, remove, showReceipts } = useWindow();
  const { content } = message;
  return (
    <Menu.Root open={open} onOpenChange={(next) => onOpenChange(next)}>
      <Menu.Portal>
        <Menu.Positioner anchor={anchor} sideOffset={6} align="center" className="z-50">
          <Menu.Popup finalFocus={returnTo} aria-label="Message actions" className={`${popupClass} min-w-56`}>
            {allowed.react && (
              <div className="mb-1 flex gap-0.5 border-b border-line pb-1">
                {quickEmoji().map((emoji) => (
                  <Menu.Item
                    key={emoji}
                    aria-label={`React with ${emoji}`}
                    onClick={() => onReact(emoji)}
                    className="grid size-9 place-items-center rounded-md text-lg outline-none data-[highlighted]:bg-hover coarse:size-11 coarse:text-xl"
                  >
                    {emoji}
                  </Menu.Item>
                ))}
                <Menu.Item
                  aria-label="More emoji"
                  onClick={onMoreEmoji}
                  className="grid size-9 place-items-center rounded-md text-muted outline-none data-[highlighted]:bg-hover coarse:size-11"
                >
                  <SmilePlus size={18} aria-hidden />
                </Menu.Item>
              </div>
            )}
            {allowed.reply && (
              <MenuItem onClick={() => reply(message.id)}>
                <Reply size={17} aria-hidden className="text-muted" /> Reply
              </MenuItem>
            )}
            {content.kind === 'text' && (
              <MenuItem onClick={() => copyText(content.body)}>
                <Copy size={17} aria-hidden className="text-muted" /> Copy text
              </MenuItem>
            )}
            {allowed.edit && (
              <MenuItem onClick={() => edit(message.id)}>
                <Pencil size={17} aria-hidden className="text-muted" /> Edit
              </MenuItem>
            )}
            {allowed.receipts && (
              <MenuItem onClick={() => showReceipts(message.id)}>
                <CheckCheck size={17} aria-hidden className="text-muted" /> Seen by…
              </MenuItem>
            )}
            {allowed.remove && (
              <MenuItem danger onClick={() => remove(message.id)}>
                <Trash2 size={17} aria-hidden /> {message.seq === null ? 'Do not send' : 'Delete'}
              </MenuItem>
            )}
            <p className="border-t border-line px-3 pt-2 pb-1 text-xs text-muted first:border-0 [:not(:first-child)]:mt-1">
              {fullTime(message.createdAt)}
              {message.editedAt && <span className="block">Edited {fullTime(message.editedAt)}</span>}
            </p>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
