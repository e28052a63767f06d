/** The number of unread messages in the title of the tab and on the icon of the app; muted conversations are not counted. */
import { useEffect } from 'react';
import { selectUnreadTotal } from '#client/select';
import { useChat } from '../chat.ts';
import { useNow } from '../time.ts';

export function useTitleBadge(): void {
  // A mute ends by the clock alone.
  useNow();
  const unread = useChat(selectUnreadTotal);
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Parley` : 'Parley';
    badge(unread);
    return () => {
      document.title = 'Parley';
      badge(0);
    };
  }, [unread]);
}

/** Zero takes it away. Only installed apps have one, in browsers that know of it. */
function badge(count: number): void {
  if ('setAppBadge' in navigator) void navigator.setAppBadge(count).catch(() => {});
}
