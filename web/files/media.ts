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

interface Offer {
  readonly file: FileView;
  readonly end: AbortController;
}

/** By the word in their address. */
const offered = new Map<string, Offer>();
let listening = false;

/** An address that plays this file for as long as it is offered, or null when there is no way. */
export async function offerMedia(file: FileView): Promise<{ address: string; withdraw: () => void } | null> {
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
  const [id, end] = [crypto.randomUUID(), new AbortController()];
  offered.set(id, { file, end });
  const withdraw = () => {
    offered.delete(id);
    end.abort();
  };
  return { address: `${MEDIA_PATH}${id}`, withdraw };
}

async function answer({ id, start, end }: MediaQuestion): Promise<MediaAnswer> {
  const offer = offered.get(id);
  if (!offer) return { problem: 404, size: 0 };
  const { file, end: over } = offer;
  if (start >= file.size) return { problem: 416, size: file.size };
  const last = Math.min(end ?? Infinity, start + MOST_BYTES, file.size);
  try {
    const bytes = await chat.readFile(file, { start, end: last, signal: over.signal });
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
