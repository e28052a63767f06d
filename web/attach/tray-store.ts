/** What has been chosen to be sent and is not sent yet, by conversation. In memory: files stay with this page. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { OutgoingFile } from '#client/types';

export interface Item {
  id: string;
  source: File;
  isPicture: boolean;
  /** What is to be seen, for those who cannot see it. */
  alt: string;
  /** How it will be sent; null while it is being made. */
  made: OutgoingFile | null;
  /** Of the preview; an object URL, revoked when the item goes. */
  preview: string | null;
  /** What its sender should know. */
  note: string | null;
}

export interface Tray {
  items: readonly Item[];
  /** Pictures are made to fit screens. */
  isSmaller: boolean;
  /** Enter was pressed: it goes as soon as everything is made. */
  isSending: boolean;
}

export const EMPTY_TRAY: Tray = { items: [], isSmaller: true, isSending: false };

const store = createStore<Record<string, Tray>>(() => ({}));

export const useTray = (conversationId: string): Tray =>
  useStore(store, (trays) => trays[conversationId] ?? EMPTY_TRAY);
export const trayOf = (conversationId: string): Tray => store.getState()[conversationId] ?? EMPTY_TRAY;
export const onTraysChange = (listener: () => void) => store.subscribe(listener);

export function setTray(conversationId: string, patch: Partial<Tray>): void {
  store.setState({ [conversationId]: { ...trayOf(conversationId), ...patch } });
}

/** Nothing happens when it has been removed meanwhile. */
export function setItem(conversationId: string, id: string, patch: Partial<Item>): void {
  const { items } = trayOf(conversationId);
  setTray(conversationId, { items: items.map((item) => (item.id === id ? { ...item, ...patch } : item)) });
}

export function removeItem(conversationId: string, id: string): void {
  const { items } = trayOf(conversationId);
  forgetPreviews(items.filter((item) => item.id === id));
  setTray(conversationId, { items: items.filter((item) => item.id !== id) });
}

export function emptyTray(conversationId: string): void {
  forgetPreviews(trayOf(conversationId).items);
  setTray(conversationId, EMPTY_TRAY);
}

export function forgetTrays(): void {
  for (const { items } of Object.values(store.getState())) forgetPreviews(items);
  store.setState({}, true);
}

const forgetPreviews = (items: readonly Item[]) => {
  for (const { preview } of items) if (preview) URL.revokeObjectURL(preview);
};
