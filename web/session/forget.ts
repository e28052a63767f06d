/** When somebody leaves - by the button, by expiry, or because another device said so - this page forgets what it knew of them. */
import { forgetTrays } from '../attach/tray-store.ts';
import { onChatChange } from '../chat.ts';
import { forgetEmoji } from '../chat-window/quick-emoji.ts';
import { forgetScroll } from '../chat-window/scroll-memory.ts';
import { forgetFiles } from '../files/use-file.ts';
import { forgetNotifications } from '../notifications/standing.ts';
import { forgetHeard } from '../voice/heard.ts';
import { queryClient } from '../trpc.ts';
import { forgetUi } from '../ui-state.ts';

export function forgetOnLeaving(): void {
  onChatChange((now, before) => {
    // Also when it ended while no page was open, which shows when the page looks for it.
    if (before.session.status === 'signed-out' || now.session.status !== 'signed-out') return;
    forgetUi();
    forgetScroll();
    forgetTrays();
    forgetFiles();
    forgetHeard();
    forgetEmoji();
    forgetNotifications();
    queryClient.clear();
  });
}
