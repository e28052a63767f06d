/**
 * Players read files in parts: they ask the service worker for an address of ours, it asks this page, and this page opens what is asked
 * for. Keys stay here. Without a service worker (private windows) there is no such address, and the whole file is fetched instead.
 */
import type { FileView } from '#client/types';
import { chat } from '../chat.ts';
import { MEDIA_PATH, type MediaAnswer, type MediaQuestion } from './media-words.ts';

const SCRIPT = '/service-worker.js';
/** One answer: players ask again for what follows. */
const MOST_BYTES = 1024 * 1024;
const PATIENCE_MS = 5_000;

const offered = new Map<string, FileView>();
let listening = false;

/** An address that plays this file for as long as it is offered, or null when there is no way. */
export async function offerMedia(file: FileView): Promise<string | null> {
  const { serviceWorker } = navigator;
  if (!serviceWorker || !import.meta.env.PROD) return null;
  try {
    await serviceWorker.register(SCRIPT, { updateViaCache: 'none' });
    if (!serviceWorker.controller) await controlled(serviceWorker);
  } catch {
    return null;
  }
  if (!listening) {
    listening = true;
    serviceWorker.addEventListener('message', ({ data, ports: [port] }) => {
      if (port && isQuestion(data)) void answer(data).then((told) => port.postMessage(told));
    });
    serviceWorker.startMessages();
  }
  offered.set(file.id, file);
  return `${MEDIA_PATH}${file.id}`;
}

export const withdrawMedia = (file: FileView): void => void offered.delete(file.id);

async function answer({ id, start, end }: MediaQuestion): Promise<MediaAnswer> {
  const file = offered.get(id);
  if (!file || start >= file.size) return { problem: file ? 416 : 404, size: file?.size ?? 0 };
  const last = Math.min(end ?? Infinity, start + MOST_BYTES, file.size);
  try {
    const bytes = await chat.readFile(file, { start, end: last });
    return { bytes, start, size: file.size, mime: file.mime };
  } catch {
    return { problem: 502, size: file.size };
  }
}

const isQuestion = (data: unknown): data is MediaQuestion =>
  typeof data === 'object' && data !== null && 'type' in data && data.type === 'media';

function controlled(serviceWorker: ServiceWorkerContainer): Promise<void> {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('no controller')), PATIENCE_MS);
    serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true });
  });
}
