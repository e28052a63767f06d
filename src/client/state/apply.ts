/** Owns the law of the state: state x change -> state, pure. Live events, replays, answers and local echoes all pass here. */
import { assertNever } from '#lib/assert-never';
import type { ChatState, Timeline } from '../types.ts';
import type { Change } from './change.ts';
import {
  inOrder,
  keepMarks,
  noteMessage,
  putConversations,
  putFrame,
  putParticipant,
  putReceipt,
  withUsers,
} from './conversations.ts';
import { endAct, laid, putAct } from './layers.ts';
import { EMPTY_STATE, EMPTY_TIMELINE, myId } from './shape.ts';
import { cut, discardEcho, putEcho, putMessage, putPage, setDoubts, setSending } from './timeline.ts';

export function applyChanges(state: ChatState, changes: readonly Change[]): ChatState {
  return changes.reduce(applyChange, state);
}

function applyChange(state: ChatState, change: Change): ChatState {
  switch (change.type) {
    case 'session':
      return change.session.status === 'signed-out'
        ? { ...EMPTY_STATE, session: change.session }
        : { ...state, session: change.session };
    case 'connection':
      return { ...state, connection: change.connection };
    case 'caught-up':
      return { ...state, caughtUp: change.caughtUp };
    case 'me':
      return {
        ...state,
        session: { status: 'signed-in', me: change.me },
        users: { ...state.users, [change.me.id]: change.me },
      };
    case 'trust':
      return { ...state, trust: change.trust, alarms: change.alarms };
    case 'bootstrap':
      return bootstrap(state, change);
    case 'conversations': {
      const next = putConversations(state, change.conversations);
      return change.hasMore === undefined ? next : { ...next, hasMoreConversations: change.hasMore };
    }
    case 'conversation':
      return putFrame(state, change.conversation);
    case 'participant':
      return putParticipant(state, change);
    case 'receipt':
      return putReceipt(state, change);
    case 'message':
      return inTimeline(noteMessage(state, change.message), change.message.conversationId, (timeline) =>
        putMessage(timeline, change.message),
      );
    case 'counted':
      return noteMessage(state, change.message);
    case 'loading':
      return inTimeline(
        state,
        change.conversationId,
        (timeline) => ({ ...timeline, loading: change.loading }),
        'create',
      );
    case 'problem':
      return inTimeline(state, change.conversationId, (timeline) => ({
        ...timeline,
        loading: 'none',
        problem: change.problem,
      }));
    case 'window':
      return inTimeline(state, change.conversationId, (timeline) => putPage(timeline, change), 'create');
    case 'echo':
      return inTimeline(
        state,
        change.message.conversationId,
        (timeline) => putEcho(timeline, change.message),
        'create',
      );
    case 'sending':
      return inTimeline(state, change.conversationId, (timeline) =>
        setSending(timeline, change.messageId, change.send),
      );
    case 'doubts':
      return inTimeline(state, change.conversationId, (timeline) => setDoubts(timeline, change));
    case 'discard':
      return inTimeline(state, change.conversationId, (timeline) => discardEcho(timeline, change.messageId));
    case 'cut':
      return inTimeline(state, change.conversationId, cut);
    case 'act': {
      const { conversationId, messageId, act } = change;
      return inTimeline(state, conversationId, (timeline) => putAct(timeline, messageId, act), 'create');
    }
    case 'acted':
      return inTimeline(state, change.conversationId, (timeline, me) => endAct(timeline, { ...change, me }));
    default:
      return assertNever(change);
  }
}

function bootstrap(state: ChatState, change: Extract<Change, { type: 'bootstrap' }>): ChatState {
  const active = change.conversations.filter(({ isActive }) => isActive).map((one) => keepMarks(state, one));
  const conversations = Object.fromEntries(active.map((one) => [one.id, one]));
  return {
    ...state,
    conversations,
    conversationIds: inOrder(conversations),
    users: active.reduce((users, one) => withUsers(users, one), state.users),
    ready: true,
    hasMoreConversations: change.hasMore,
  };
}

function inTimeline(
  state: ChatState,
  conversationId: string,
  edit: (timeline: Timeline, me: string) => Timeline,
  missing: 'create' | 'ignore' = 'ignore',
): ChatState {
  const timeline = state.timelines[conversationId];
  if (!timeline && missing === 'ignore') return state;
  const me = myId(state) ?? '';
  const next = laid(edit(timeline ?? EMPTY_TIMELINE, me), me);
  if (next === timeline) return state;
  return { ...state, timelines: { ...state.timelines, [conversationId]: next } };
}
