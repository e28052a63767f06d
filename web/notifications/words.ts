/** What page and service worker say to each other. */

/** A message as far as it is known here: what could not be opened has no text, and nobody is said to have written it. */
export interface Arrival {
  readonly conversationId: string;
  readonly messageId: string;
  readonly sender: string | null;
  /** The name of the group; null in a conversation of two. */
  readonly group: string | null;
  readonly text: string | null;
}

export type ToWorker =
  | { readonly type: 'arrived'; readonly arrival: Arrival }
  /** Somebody has left: nothing stays that tells of them. */
  | { readonly type: 'forget' };

export interface ToPage {
  readonly type: 'open';
  readonly conversationId: string;
}
