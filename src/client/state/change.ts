/** Owns the union of everything that can happen to the state. The feed, answers and my own acts all come this way. */
import type { Me } from '#protocol/user';
import type {
  ConnectionState,
  ConversationView,
  MessageView,
  ParticipantView,
  ReactionView,
  SendState,
  SessionState,
  Timeline,
} from '../types.ts';

/** A conversation as the feed carries it: without what depends on the viewer's own counting. */
export type ConversationFrame = Omit<ConversationView, 'lastMessage' | 'unreadCount' | 'tally' | 'unreadStale'>;

export type Change =
  | { type: 'session'; session: SessionState }
  | { type: 'connection'; connection: ConnectionState }
  | { type: 'me'; me: Me }
  /** The snapshot to start from; what was known before and is not in it is gone. */
  | { type: 'bootstrap'; conversations: ConversationView[]; hasMore: boolean }
  /** As a query or a mutation answered it, counts included. */
  | { type: 'conversations'; conversations: ConversationView[]; hasMore?: boolean }
  | { type: 'conversation'; conversation: ConversationFrame }
  | {
      type: 'participant';
      conversationId: string;
      userId: string;
      participant: ParticipantView | null;
      version: number;
    }
  | { type: 'message'; message: MessageView }
  | { type: 'reactions'; conversationId: string; messageId: string; reactions: ReactionView[] }
  | { type: 'receipt'; conversationId: string; userId: string; deliveredSeq: number; readSeq: number }
  | { type: 'loading'; conversationId: string; loading: Timeline['loading'] }
  | { type: 'problem'; conversationId: string; problem: string }
  | {
      type: 'window';
      conversationId: string;
      /** Oldest first. */
      messages: MessageView[];
      place: 'replace' | 'older' | 'newer';
      hasOlder?: boolean;
      hasNewer?: boolean;
    }
  /** A message of mine, shown before anybody has it. */
  | { type: 'echo'; message: MessageView }
  | { type: 'sending'; conversationId: string; messageId: string; send: SendState }
  | { type: 'discard'; conversationId: string; messageId: string };
