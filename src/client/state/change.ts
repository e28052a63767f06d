/** Owns the union of everything that can happen to the state. The feed, answers and my own acts all come this way. */
import type { Me } from '#protocol/user';
import type {
  ActView,
  Alarm,
  CaughtUp,
  ConnectionState,
  ConversationView,
  Doubt,
  MessageView,
  ParticipantView,
  SendState,
  SessionState,
  Timeline,
  Trust,
} from '../types.ts';

/** A conversation as the feed carries it: without what depends on who looks. */
export type ConversationFrame = Omit<
  ConversationView,
  'lastMessage' | 'unreadCount' | 'mutedUntil' | 'tally' | 'unreadStale'
>;

/** What of a message counts, opened or not. */
export type CountedMessage = Pick<MessageView, 'id' | 'conversationId' | 'seq' | 'senderId' | 'createdAt' | 'version'>;

export type Change =
  | { type: 'session'; session: SessionState }
  | { type: 'connection'; connection: ConnectionState }
  | { type: 'caught-up'; caughtUp: CaughtUp }
  | { type: 'me'; me: Me }
  /** All that is known of people's keys; it replaces what was known before. */
  | { type: 'trust'; trust: Record<string, Exclude<Trust, 'unverified'>>; alarms: Alarm[] }
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
  /** A new message that nothing on the screen needs opened: it counts, and moves what a message moves. */
  | { type: 'counted'; message: CountedMessage }
  | { type: 'receipt'; conversationId: string; userIds: readonly string[]; deliveredSeq: number; readSeq: number }
  | { type: 'loading'; conversationId: string; loading: Timeline['loading'] }
  | { type: 'problem'; conversationId: string; problem: string }
  /** So much is new here that the window stays where it is: what follows is loaded when somebody looks. */
  | { type: 'cut'; conversationId: string }
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
  /** All that is in doubt about it. */
  | { type: 'doubts'; conversationId: string; messageId: string; doubts: Doubt[] }
  | { type: 'discard'; conversationId: string; messageId: string }
  /** Something I have done to a message: shown before anybody has it. */
  | { type: 'act'; conversationId: string; messageId: string; act: ActView }
  /**
   * It has been done, to the message as it was at version `since`; or, when that is null, it was taken back. If the message has
   * changed since, the feed has told the result already.
   */
  | {
      type: 'acted';
      conversationId: string;
      messageId: string;
      act: ActView;
      since: number | null;
      tag?: string | undefined;
    };
