/** The one chat of this page and the hooks that read it; no other file touches its stores. */
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { createChat } from '#client/index';
import { selectMe } from '#client/select';
import type { ChatState, SignalState } from '#client/types';
import { must } from '#lib/must';

export const chat = createChat({ url: window.location.origin });

export function useChat<T>(selector: (state: ChatState) => T): T {
  return useStore(chat.store, selector);
}

export function useSignals<T>(selector: (state: SignalState) => T): T {
  return useStore(chat.signals, selector);
}

/** For what shows by itself what becomes of it, at the message that it is done to. */
export const underway = (act: Promise<void>) => void act.catch(() => {});

/** The state at this moment, for handlers that react to something else than a change of it. */
export const peekChat = (): ChatState => chat.store.getState();
/** Changes, for what lives outside of React's rendering. Returns its end. */
export const onChatChange = (listener: (state: ChatState, before: ChatState) => void) => chat.store.subscribe(listener);

/** Me, in every screen that exists only for somebody signed in. */
export const useMe = () => must(useChat(selectMe), 'shown to signed-in people only');

/** Presence of these people arrives for as long as the component that asked is on the screen. */
export function useWatchPresence(userIds: string[]): void {
  const key = [...userIds].sort().join(' ');
  useEffect(() => (key ? chat.watchPresence(key.split(' ')) : undefined), [key]);
}
