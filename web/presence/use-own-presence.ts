/** Tells the server whether I am here: away after five minutes without a sign of life, or a minute behind other windows. */
import { useEffect } from 'react';
import { chat } from '../chat.ts';

const IDLE_MS = 5 * 60_000;
const HIDDEN_MS = 60_000;

export function useOwnPresence(): void {
  useEffect(() => {
    let away = false;
    let timer: ReturnType<typeof setTimeout>;
    const leave = () => {
      away = true;
      chat.setPresence('away');
    };
    const arm = () => {
      clearTimeout(timer);
      timer = setTimeout(leave, document.hidden ? HIDDEN_MS : IDLE_MS);
    };
    const stir = () => {
      if (away && !document.hidden) {
        away = false;
        chat.setPresence('online');
      }
      arm();
    };
    const signs = ['pointerdown', 'pointermove', 'keydown', 'visibilitychange', 'focus'];
    for (const sign of signs) window.addEventListener(sign, stir, { passive: true, capture: true });
    arm();
    return () => {
      clearTimeout(timer);
      for (const sign of signs) window.removeEventListener(sign, stir, { capture: true });
    };
  }, []);
}
