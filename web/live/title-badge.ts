/** The number of unread messages in the title of the tab. */
import { useEffect } from 'react';
import { selectUnreadTotal } from '#client/select';
import { useChat } from '../chat.ts';

export function useTitleBadge(): void {
  const unread = useChat(selectUnreadTotal);
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Parley` : 'Parley';
    return () => {
      document.title = 'Parley';
    };
  }, [unread]);
}
