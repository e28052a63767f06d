/** Owns the ephemeral state: who types, who is there. Pure; the timers are in client/signals.ts. */
import type { Progress, SignalState } from '../types.ts';
import { without } from './shape.ts';

export function setTyping(
  state: SignalState,
  { conversationId, userId, isTyping }: { conversationId: string; userId: string; isTyping: boolean },
): SignalState {
  const before = state.typing[conversationId] ?? [];
  if (before.includes(userId) === isTyping) return state;
  const people = isTyping ? [...before, userId] : before.filter((id) => id !== userId);
  const typing =
    people.length > 0 ? { ...state.typing, [conversationId]: people } : without(state.typing, conversationId);
  return { ...state, typing };
}

export function setPresence(
  state: SignalState,
  { userId, status, lastSeenAt }: SignalState['presence'][string] & { userId: string },
): SignalState {
  return { ...state, presence: { ...state.presence, [userId]: { status, lastSeenAt } } };
}

export function setUpload(state: SignalState, messageId: string, progress: Progress | null): SignalState {
  if (!progress && !state.uploads[messageId]) return state;
  const uploads = progress ? { ...state.uploads, [messageId]: progress } : without(state.uploads, messageId);
  return { ...state, uploads };
}

export function setUnkept(state: SignalState, messageId: string, isUnkept: boolean): SignalState {
  if ((state.unkept[messageId] ?? false) === isUnkept) return state;
  return { ...state, unkept: isUnkept ? { ...state.unkept, [messageId]: true } : without(state.unkept, messageId) };
}

export function setRekeying(
  state: SignalState,
  conversationId: string,
  progress: SignalState['rekeying'][string] | null,
): SignalState {
  if (!progress && !state.rekeying[conversationId]) return state;
  const rekeying = progress
    ? { ...state.rekeying, [conversationId]: progress }
    : without(state.rekeying, conversationId);
  return { ...state, rekeying };
}
