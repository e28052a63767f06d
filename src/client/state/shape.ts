/** Owns the empty state, and the small edits of records that every slice needs. */
import type { ChatState, SignalState, Timeline } from '../types.ts';
import { MessageTable } from './message-table.ts';

export const EMPTY_STATE: ChatState = {
  session: { status: 'signed-out', reason: 'none' },
  connection: { status: 'offline' },
  caughtUp: null,
  users: {},
  conversations: {},
  conversationIds: [],
  ready: false,
  hasMoreConversations: false,
  timelines: {},
  trust: {},
  alarms: [],
};

export const EMPTY_SIGNALS: SignalState = { typing: {}, presence: {}, rekeying: {}, uploads: {}, unkept: {} };

export const EMPTY_TIMELINE: Timeline = {
  ids: [],
  pending: [],
  byId: MessageTable.empty,
  layers: {},
  hasOlder: true,
  hasNewer: false,
  loading: 'none',
  problem: null,
};

export function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  const { [key]: _, ...rest } = record;
  return rest;
}

export const myId = (state: ChatState): string | null =>
  state.session.status === 'signed-in' ? state.session.me.id : null;
