/** When somebody leaves - by the button, by expiry, or because another device said so - this page forgets what it knew of them. */
import { onChatChange } from '../chat.ts';
import { forgetEmoji } from '../chat-window/quick-emoji.ts';
import { forgetScroll } from '../chat-window/scroll-memory.ts';
import { queryClient } from '../trpc.ts';
import { forgetUi } from '../ui-state.ts';

export function forgetOnLeaving(): void {
  onChatChange((now, before) => {
    if (before.session.status !== 'signed-in' || now.session.status !== 'signed-out') return;
    forgetUi();
    forgetScroll();
    forgetEmoji();
    queryClient.clear();
  });
}
