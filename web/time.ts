/** Times in words of the reader's locale, and a clock that makes them move on. */
import { useSyncExternalStore } from 'react';

const DAY = 86_400_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const shortDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const shortDateWithYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const longDay = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const longDayWithYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

const startOfDay = (time: number) => new Date(time).setHours(0, 0, 0, 0);
/** Whole days between two moments on the reader's calendar; rounding absorbs the hour of a clock change. */
const daysBetween = (earlier: number, later: number) => Math.round((startOfDay(later) - startOfDay(earlier)) / DAY);

export const dayKey = (iso: string) => String(startOfDay(Date.parse(iso)));
export const clockTime = (iso: string) => clock.format(new Date(iso));
export const fullTime = (iso: string) => full.format(new Date(iso));

/** The title above a day's messages. */
export function dayTitle(iso: string, now: number): string {
  const time = Date.parse(iso);
  const days = daysBetween(time, now);
  if (days === 0 || days === 1) {
    const word = relative.format(-days, 'day');
    return word.charAt(0).toLocaleUpperCase() + word.slice(1);
  }
  return (days > 300 ? longDayWithYear : longDay).format(time);
}

/** For lists: as short as it can be said. */
export function briefTime(iso: string, now: number): string {
  const time = Date.parse(iso);
  const days = daysBetween(time, now);
  if (now - time < 60_000) return 'now';
  if (now - time < 3_600_000) return `${Math.floor((now - time) / 60_000)} min`;
  if (days <= 0) return clock.format(time);
  if (days === 1) return dayTitle(iso, now);
  if (days < 7) return weekday.format(time);
  return (days > 300 ? shortDateWithYear : shortDate).format(time);
}

export function agoWords(iso: string, now: number): string {
  const minutes = Math.floor((now - Date.parse(iso)) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return relative.format(-minutes, 'minute');
  if (minutes < 24 * 60) return relative.format(-Math.floor(minutes / 60), 'hour');
  return relative.format(-daysBetween(Date.parse(iso), now), 'day');
}

let current = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void) {
  listeners.add(listener);
  timer ??= setInterval(() => {
    current = Date.now();
    for (const tell of listeners) tell();
  }, 20_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Now, renewed every 20 seconds by one timer for the whole page. */
export const useNow = () => useSyncExternalStore(subscribe, () => current);
