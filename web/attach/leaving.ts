/** Asks before the page is closed while it alone has files that were sent: what is sealed on this device goes on by itself later. */
import { chat } from '../chat.ts';

export function askBeforeLosing(): void {
  addEventListener('beforeunload', (event) => {
    if (Object.keys(chat.signals.getState().unkept).length > 0) event.preventDefault();
  });
}
