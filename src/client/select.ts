/** Named selectors. Each returns what is already in the state (a reference or a primitive), so that equal means equal. */
import type { ChatState, ConversationView, MessageView, SignalState, Tick, Timeline, Trust, User } from './types.ts';

const NOBODY: string[] = [];

export const selectSession = (state: ChatState) => state.session;
export const selectMe = (state: ChatState) => (state.session.status === 'signed-in' ? state.session.me : null);
export const selectConnection = (state: ChatState) => state.connection;
export const selectCaughtUp = (state: ChatState) => state.caughtUp;
export const selectConversationIds = (state: ChatState) => state.conversationIds;
export const selectConversation =
  (id: string) =>
  (state: ChatState): ConversationView | undefined =>
    state.conversations[id];
export const selectTimeline =
  (id: string) =>
  (state: ChatState): Timeline | undefined =>
    state.timelines[id];
export const selectMessage =
  (conversationId: string, messageId: string) =>
  (state: ChatState): MessageView | undefined =>
    state.timelines[conversationId]?.byId.get(messageId);
/** The last of mine in this conversation that waits to be sent, or was refused. */
export const selectUnsent =
  (conversationId: string) =>
  (state: ChatState): MessageView | undefined => {
    const timeline = state.timelines[conversationId];
    const last = timeline?.byId.get(timeline.pending.at(-1) ?? '');
    return last?.send.step === 'sending' ? undefined : last;
  };
export const selectTrust =
  (userId: string) =>
  (state: ChatState): Trust =>
    state.trust[userId] ?? 'unverified';
/** Somebody here whose keys were compared and have been replaced: until that is settled, nothing is sent. */
export const selectChanged =
  (conversationId: string) =>
  (state: ChatState): User | undefined =>
    state.conversations[conversationId]?.participants.find(({ user }) => state.trust[user.id] === 'changed')?.user;
export const selectUser = (id: string) => (state: ChatState) => state.users[id];
/** For `mute`: until I turn it on again. */
export const FOR_EVER = '9999-01-01T00:00:00.000Z';
export const isMuted = ({ mutedUntil }: ConversationView, now = Date.now()): boolean =>
  mutedUntil !== null && Date.parse(mutedUntil) > now;
/** Of the conversations that I want to be told of. */
export const selectUnreadTotal = (state: ChatState) =>
  state.conversationIds.reduce((sum, id) => {
    const conversation = state.conversations[id];
    return conversation && !isMuted(conversation) ? sum + conversation.unreadCount : sum;
  }, 0);

export const selectTyping = (conversationId: string) => (state: SignalState) => state.typing[conversationId] ?? NOBODY;
export const selectPresence = (userId: string) => (state: SignalState) => state.presence[userId];

/** In a group a message is delivered, or read, once it is so for everybody else who was there to receive it. */
export const selectTick =
  (conversationId: string, messageId: string) =>
  (state: ChatState): Tick => {
    const message = state.timelines[conversationId]?.byId.get(messageId);
    const conversation = state.conversations[conversationId];
    if (!message || !conversation || state.session.status !== 'signed-in') return null;
    const me = state.session.me.id;
    if (message.senderId !== me) return null;
    if (message.send.step === 'failed') return 'failed';
    const seq = message.seq;
    if (seq === null) return 'waiting';
    const others = conversation.participants.filter(({ user, joinedSeq }) => user.id !== me && joinedSeq < seq);
    if (others.length === 0) return 'sent';
    if (others.every(({ readSeq }) => readSeq >= seq)) return 'read';
    if (others.every(({ deliveredSeq }) => deliveredSeq >= seq)) return 'delivered';
    return 'sent';
  };
