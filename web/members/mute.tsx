/** Peace from a conversation, for a while or until I want to hear of it again. On all my devices. */
import { Menu } from '@base-ui/react/menu';
import { Bell, BellOff, ChevronDown } from 'lucide-react';
import { FOR_EVER, isMuted } from '#client/select';
import type { ConversationView } from '#client/types';
import { chat } from '../chat.ts';
import { clockTime, fullTime, useNow } from '../time.ts';
import { buttonClass } from '../ui/button.tsx';
import { MenuItem, popupClass } from '../ui/menu.tsx';
import { attempt } from '../ui/toast.tsx';

const HOUR = 3_600_000;
const CHOICES = [
  { words: 'For 1 hour', until: () => new Date(Date.now() + HOUR).toISOString() },
  { words: 'For 8 hours', until: () => new Date(Date.now() + 8 * HOUR).toISOString() },
  { words: 'Until I turn it on again', until: () => FOR_EVER },
];

export function Mute({ conversation }: { conversation: ConversationView }) {
  const { id, mutedUntil } = conversation;
  const now = useNow();
  const muted = isMuted(conversation, now);
  const mute = (until: string | null) => attempt(() => chat.mute(id, until));
  const Icon = muted ? BellOff : Bell;
  return (
    <Menu.Root>
      <Menu.Trigger className={buttonClass('quiet', 'w-full justify-start gap-3 py-1 text-left text-ink')}>
        <span className="grid size-9 shrink-0 place-items-center rounded-full bg-accent-soft text-accent">
          <Icon size={17} aria-hidden />
        </span>
        <span className="stack flex-1 leading-tight">
          {muted ? 'Muted' : 'Mute'}
          {muted && (
            <span className="truncate text-xs font-normal text-muted">{untilWords(mutedUntil ?? '', now)}</span>
          )}
        </span>
        <ChevronDown size={16} aria-hidden className="text-muted" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={4} align="end" className="z-50">
          <Menu.Popup className={`${popupClass} min-w-56`}>
            {muted && (
              <MenuItem onClick={() => mute(null)}>
                <Bell size={17} aria-hidden className="text-muted" /> Turn on again
              </MenuItem>
            )}
            {CHOICES.map(({ words, until }) => (
              <MenuItem key={words} onClick={() => mute(until())}>
                <BellOff size={17} aria-hidden className="text-muted" /> {words}
              </MenuItem>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

function untilWords(until: string, now: number): string {
  if (until === FOR_EVER) return 'Until you turn it on again';
  return `Until ${Date.parse(until) - now < 24 * HOUR ? clockTime(until) : fullTime(until)}`;
}
