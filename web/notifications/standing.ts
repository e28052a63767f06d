/**
 * Whether this browser tells of messages while nobody looks at the page, and how that is changed. Belongs to the person who
 * is signed in: whoever leaves takes it along.
 */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { ToWorker } from './words.ts';

/** `blocked`: the person has told the browser to refuse, and only there can it be allowed again. */
export type Standing = 'unsupported' | 'blocked' | 'off' | 'on';

const ON = 'parley.notifications';
const DECLINED = 'parley.notifications-declined';

/** In development nothing is built that could be registered. */
const supported =
  import.meta.env.PROD && 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

const store = createStore<{ standing: Standing; declined: boolean }>(look);
export const useStanding = (): Standing => useStore(store, ({ standing }) => standing);
/** Whether the offer was sent away, in this browser, once and for all. */
export const useDeclined = (): boolean => useStore(store, ({ declined }) => declined);

function look() {
  return { standing: standing(), declined: read(DECLINED) };
}

function standing(): Standing {
  if (!supported) return 'unsupported';
  if (Notification.permission === 'denied') return 'blocked';
  return Notification.permission === 'granted' && read(ON) ? 'on' : 'off';
}

/** Another tab, or the browser's own settings, may have changed it. */
export function followStanding(): () => void {
  const refresh = () => store.setState(look());
  addEventListener('storage', refresh);
  addEventListener('focus', refresh);
  return () => {
    removeEventListener('storage', refresh);
    removeEventListener('focus', refresh);
  };
}

/** Asks the browser, so only ever after a click. Rejects when the push service or the server cannot be reached. */
export async function turnOn(): Promise<void> {
  const permission = await Notification.requestPermission();
  if (permission === 'granted') {
    const { subscribe } = await import('./subscription.ts');
    await subscribe();
    write(ON, true);
  }
  store.setState(look());
}

export async function turnOff(): Promise<void> {
  write(ON, false);
  store.setState(look());
  const { unsubscribe } = await import('./subscription.ts');
  await unsubscribe();
}

export function declineOffer(): void {
  write(DECLINED, true);
  store.setState(look());
}

/** The server forgets this browser with the session; the worker closes what it has shown and ends the subscription. */
export function forgetNotifications(): void {
  write(ON, false);
  store.setState(look());
  if (supported) void tellWorker({ type: 'forget' }).catch(() => {});
}

export async function tellWorker(word: ToWorker): Promise<void> {
  (await navigator.serviceWorker.getRegistration())?.active?.postMessage(word);
}

function read(name: string): boolean {
  try {
    return localStorage.getItem(name) !== null;
  } catch {
    return false;
  }
}

function write(name: string, is: boolean): void {
  try {
    if (is) localStorage.setItem(name, '1');
    else localStorage.removeItem(name);
  } catch {
    // Storage is blocked: it is off again with the next visit.
  }
}
