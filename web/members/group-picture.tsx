/** The picture of a group, changed in its place. It is sealed with the name; the server never sees it. */
import { Menu } from '@base-ui/react/menu';
import { Camera, ImageUp, Trash2 } from 'lucide-react';
import { useRef } from 'react';
import type { ConversationView } from '#client/types';
import { chat, useMe } from '../chat.ts';
import { faceOf } from '../naming.ts';
import { Avatar } from '../ui/avatar.tsx';
import { MenuItem, popupClass } from '../ui/menu.tsx';
import { attempt, tell } from '../ui/toast.tsx';
import { shrink } from './shrink.ts';

export function GroupPicture({ conversation }: { conversation: ConversationView }) {
  const { id, avatar } = conversation;
  const face = faceOf(conversation, useMe().id);
  const chooser = useRef<HTMLInputElement>(null);
  const choose = () => chooser.current?.click();
  const set = (picture: string) => attempt(() => chat.update(id, { avatar: picture }));
  return (
    <>
      <input
        ref={chooser}
        type="file"
        accept="image/*"
        hidden
        onChange={async ({ target }) => {
          const file = target.files?.[0];
          target.value = '';
          if (!file) return;
          const picture = await shrink(file).catch(() => null);
          if (picture === null) tell('That file is not a picture this browser can show.');
          else set(picture);
        }}
      />
      {avatar === null ? (
        <button type="button" aria-label="Add a picture" onClick={choose} className={ROUND}>
          <Avatar {...face} size="lg" />
          <Badge />
        </button>
      ) : (
        <Menu.Root>
          <Menu.Trigger aria-label="Change the picture" className={ROUND}>
            <Avatar {...face} size="lg" />
            <Badge />
          </Menu.Trigger>
          <Menu.Portal>
            <Menu.Positioner sideOffset={6} className="z-50">
              <Menu.Popup className={popupClass}>
                <MenuItem onClick={choose}>
                  <ImageUp size={16} aria-hidden /> Choose another one
                </MenuItem>
                <MenuItem danger onClick={() => set('')}>
                  <Trash2 size={16} aria-hidden /> Remove it
                </MenuItem>
              </Menu.Popup>
            </Menu.Positioner>
          </Menu.Portal>
        </Menu.Root>
      )}
    </>
  );
}

const ROUND = 'relative cursor-pointer rounded-xl transition-transform active:scale-97';

function Badge() {
  return (
    <span className="absolute -right-1.5 -bottom-1.5 grid size-8 place-items-center rounded-full border-2 border-raised bg-accent-soft text-accent">
      <Camera size={15} aria-hidden />
    </span>
  );
}
