/** What is about to be sent with the next message, by conversation. In memory: nothing readable is kept at rest. */
import { uuidv7 } from 'uuidv7';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Draft, OutgoingFile } from '#client/types';
import { chat, peekChat } from '../chat.ts';
import { keepOpen } from '../files/use-file.ts';
import { sizeWords } from '../files/sizes.ts';
import { tell, tellProblem } from '../ui/toast.tsx';
import { isPicture, readyPicture } from './picture.ts';

export interface TrayItem {
  id: string;
  source: File;
  picture: boolean;
  /** Null while it is being made ready. */
  ready: OutgoingFile | null;
  making: Promise<OutgoingFile>;
  /** Of a picture, for the tray. */
  url: string | null;
  alt: string;
}

export interface Tray {
  items: TrayItem[];
  /** Pictures in their full size. */
  original: boolean;
}

export const EMPTY: Tray = { items: [], original: false };
const store = createStore<Record<string, Tray>>(() => ({}));

export const useTray = (conversationId: string): Tray => useStore(store, (trays) => trays[conversationId] ?? EMPTY);
const trayOf = (conversationId: string): Tray => store.getState()[conversationId] ?? EMPTY;

function change(conversationId: string, by: (tray: Tray) => Tray): void {
  store.setState({ [conversationId]: by(trayOf(conversationId)) });
}

const changeItem = (conversationId: string, id: string, patch: Partial<TrayItem>) =>
  change(conversationId, (tray) => ({
    ...tray,
    items: tray.items.map((item) => (item.id === id ? { ...item, ...patch } : item)),
  }));

/** Adds what the server would take, and says of the rest why not, before anything is uploaded. */
export async function addFiles(conversationId: string, files: readonly File[]): Promise<void> {
  const limits = await chat.api.files.limits.query().catch((error: unknown) => tellProblem(error));
  if (!limits) return;
  // Padding and seals add up to an eighth.
  const most = limits.maxBytes / 1.125;
  let left = limits.quotaBytes - limits.usedBytes - sum(trayOf(conversationId).items.map(({ source }) => source));
  for (const source of files) {
    if (trayOf(conversationId).items.length >= limits.perMessage) {
      tell(`One message holds up to ${limits.perMessage} files. Send these first, then the others.`);
      return;
    }
    if (source.size > most) tell(`${source.name} is too large. Up to ${sizeWords(most)} can be sent.`);
    else if (source.size * 1.125 > left)
      tell(`There is no room left for ${source.name}. Delete older files of yours first.`);
    else {
      left -= source.size * 1.125;
      add(conversationId, source);
    }
  }
}

const sum = (files: File[]): number => files.reduce((total, { size }) => total + size * 1.125, 0);

function add(conversationId: string, source: File): void {
  const [id, picture] = [uuidv7(), isPicture(source)];
  const url = picture ? URL.createObjectURL(source) : null;
  // Replaced in a moment, by what makes it ready.
  const making = Promise.resolve({ file: source, name: source.name });
  const item = { id, source, picture, ready: null, making, url, alt: '' };
  change(conversationId, (tray) => ({ ...tray, items: [...tray.items, item] }));
  void makeReady(conversationId, item);
}

function makeReady(
  conversationId: string,
  { id, source, picture }: Pick<TrayItem, 'id' | 'source' | 'picture'>,
): Promise<OutgoingFile> {
  const { original } = trayOf(conversationId);
  changeItem(conversationId, id, { ready: null });
  const making = (async () => {
    const made = picture ? await readyPicture(source, original) : null;
    if (picture && !made) tell(`${source.name} goes as it is, with everything that the camera wrote into it.`);
    const ready = made ?? { file: source, name: source.name };
    if (trayOf(conversationId).original === original) changeItem(conversationId, id, { ready });
    return ready;
  })();
  changeItem(conversationId, id, { making });
  return making;
}

export function removeItem(conversationId: string, id: string): void {
  const { items } = trayOf(conversationId);
  for (const { id: own, url } of items) if (own === id && url) URL.revokeObjectURL(url);
  change(conversationId, (tray) => ({ ...tray, items: items.filter((item) => item.id !== id) }));
}

export const describe = (conversationId: string, id: string, alt: string) => changeItem(conversationId, id, { alt });

export function setOriginal(conversationId: string, original: boolean): void {
  change(conversationId, ({ items }) => ({ original, items }));
  for (const item of trayOf(conversationId).items) if (item.picture) void makeReady(conversationId, item);
}

/** Goes out as soon as all of it is ready. The tray is empty at once. */
export async function sendTray(conversationId: string, draft: { text: string; replyTo: string | null }): Promise<void> {
  const { items } = trayOf(conversationId);
  const making = items.map(async ({ making: made, alt }) => ({
    ...(await made),
    ...(alt.trim() ? { alt: alt.trim() } : {}),
  }));
  for (const { id } of items) removeItem(conversationId, id);
  change(conversationId, () => EMPTY);
  sendFiles(conversationId, { ...draft, files: await Promise.all(making) });
}

/** Shown from what is here, not fetched again. */
export function sendFiles(conversationId: string, draft: Draft & { files: readonly OutgoingFile[] }): void {
  const messageId = chat.send(conversationId, draft);
  const content = peekChat().timelines[conversationId]?.byId.get(messageId)?.content;
  if (content?.kind === 'text') keepOpen(content.files ?? [], draft.files);
}

/** Somebody has left. */
export const forgetTrays = () => store.setState({}, true);
