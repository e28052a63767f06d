/** A click on a notification opens its conversation in the page that is there, also in one that is still being loaded. */
import { navigate } from 'wouter/use-browser-location';
import type { ToPage } from './words.ts';

/** To be called before the document is complete: what the service worker says until then, waits. */
export function followClicks(): void {
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker.addEventListener('message', ({ data }) => {
    const { type, conversationId } = data as ToPage;
    if (type === 'open') navigate(`/c/${conversationId}`);
  });
}
