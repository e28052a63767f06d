/**
 * The service worker: the one place that shows notifications, whether a push brought the message or a page did that nobody
 * looks at, and the way of players to files that only the page can open. No other request goes through it, nothing is cached or logged.
 */
import { openPush } from '#client/push';
import { Serial } from '#lib/serial';
import type { PushPayload } from '#protocol/push';
import type { Arrival, ToPage, ToWorker } from '../notifications/words.ts';
import { filesLine } from '../files/words.ts';
import { isMedia, mediaResponse } from './media.ts';
import { noticeOf, type Told } from './notice.ts';
import { openPages, scope } from './scope.ts';
import { forgetTold, isNew } from './told.ts';

/** One after another: each reads the notification that the one before has left. */
const serial = new Serial();
const inTurn = (task: () => Promise<void>) => serial.run('notifications', task).catch(() => {});

scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));

scope.addEventListener('push', (event) => event.waitUntil(inTurn(() => pushed(event.data))));

scope.addEventListener('message', (event) => {
  const word = event.data as ToWorker;
  if (word.type === 'forget') event.waitUntil(inTurn(forget));
  else event.waitUntil(inTurn(() => arrived(word.arrival)));
});

scope.addEventListener('fetch', (event) => {
  const { request, clientId } = event;
  if (isMedia(request.url)) event.respondWith(mediaResponse(request, clientId));
});

scope.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open((event.notification.data as Told).conversationId).catch(() => {}));
});

async function pushed(data: { json(): unknown } | null): Promise<void> {
  const payload = data?.json() as PushPayload;
  if (payload.v !== 1 || payload.type !== 'message') return;
  const { conversationId, messageId } = payload;
  if (!(await mayTell(messageId))) return;
  const { files, ...opened } = await openPush(payload);
  const text = opened.text === null ? null : filesLine(files, opened.text);
  await show({ conversationId, messageId, ...opened, text });
}

/** Every page tells of it that has not the focus itself; the first one counts. */
async function arrived(arrival: Arrival): Promise<void> {
  if (await mayTell(arrival.messageId)) await show(arrival);
}

/** Once for each message, and not to somebody who is looking at us: the list is before their eyes. */
async function mayTell(messageId: string): Promise<boolean> {
  const pages = await openPages();
  if (pages.some(({ focused, visibilityState }) => focused && visibilityState === 'visible')) return false;
  return isNew(messageId);
}

async function show(arrival: Arrival): Promise<void> {
  const tag = arrival.conversationId;
  const [before] = await scope.registration.getNotifications({ tag });
  const notice = noticeOf(arrival, before?.data as Told | undefined);
  if (!notice) return;
  const { title, body, data } = notice;
  const looks = { icon: '/icon-192.png', badge: '/badge-96.png' };
  // TypeScript's library lacks the last two.
  const options = { body, tag, data, ...looks, renotify: true, timestamp: Date.now() };
  await scope.registration.showNotification(title, options as NotificationOptions);
}

async function open(conversationId: string): Promise<void> {
  const [page] = await openPages();
  if (!page) return void (await scope.clients.openWindow(`/c/${conversationId}`));
  const word: ToPage = { type: 'open', conversationId };
  page.postMessage(word);
  await page.focus();
}

async function forget(): Promise<void> {
  for (const notification of await scope.registration.getNotifications()) notification.close();
  await (await scope.registration.pushManager.getSubscription())?.unsubscribe();
  await forgetTold();
}
