/** The browser's push subscription, made known to the server. Loaded when notifications are on, or being turned on. */
import { chat } from '../chat.ts';

const SCRIPT = '/service-worker.js';
/** A push service that cannot be reached is silent for longer than anybody waits. */
const PATIENCE_MS = 20_000;

/** Harmless to repeat, and repeated at each start: the browser may have made a new one since. */
export async function subscribe(): Promise<void> {
  const { publicKey } = await chat.api.push.publicKey.query();
  await navigator.serviceWorker.register(SCRIPT, { updateViaCache: 'none' });
  const { pushManager } = await soon(navigator.serviceWorker.ready);
  const before = await pushManager.getSubscription();
  // Bound to the key it was made with: under another one the server's pushes would be refused.
  if (before && keyOf(before) !== publicKey) await before.unsubscribe();
  const subscription = await soon(pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey }));
  const { endpoint, expirationTime = null, keys } = subscription.toJSON();
  await chat.api.push.subscribe.mutate({
    endpoint: endpoint ?? '',
    expirationTime,
    keys: { p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' },
  });
}

export async function unsubscribe(): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  for (const notification of (await registration?.getNotifications()) ?? []) notification.close();
  if (!subscription) return;
  await subscription.unsubscribe();
  await chat.api.push.unsubscribe.mutate({ endpoint: subscription.endpoint });
}

function keyOf({ options: { applicationServerKey } }: PushSubscription): string {
  const bytes = String.fromCharCode(...new Uint8Array(applicationServerKey ?? new ArrayBuffer(0)));
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function soon<T>(wanted: Promise<T>): Promise<T> {
  return Promise.race([
    wanted,
    new Promise<never>((_, fail) => setTimeout(() => fail(new Error('no answer')), PATIENCE_MS)),
  ]);
}
