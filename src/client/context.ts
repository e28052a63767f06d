/** Owns what the parts of a running chat share. Made by index.ts, once per chat. */
import type { Api } from './api.ts';
import type { Connection } from './connection.ts';
import type { Tabs } from './platform.types.ts';
import { SdkError } from './errors.ts';
import type { Gaps } from './gaps.ts';
import { myId } from './state/shape.ts';
import type { Store } from './store.ts';
import type { ConversationView } from './types.ts';
import type { Unreadable } from './unreadable.ts';
import type { KeyringService } from './worker/service.ts';

export interface Context {
  readonly api: Api;
  readonly connection: Connection;
  readonly store: Store;
  readonly keyring: KeyringService;
  readonly tabs: Tabs;
  readonly unreadable: Unreadable;
  readonly gaps: Gaps;
  /** For what is no procedure: the bytes of files. */
  readonly road: { url: string; token(): Promise<string> };
  /** Aborted at log-out and close: nothing goes on for somebody who has left. */
  readonly signal: AbortSignal;
}

export function meOf({ store }: Context): string {
  const me = myId(store.state);
  if (me === null) throw new SdkError('CLOSED', 'not_signed_in');
  return me;
}

export function conversationOf({ store }: Context, conversationId: string): ConversationView {
  const conversation = store.state.conversations[conversationId];
  if (!conversation) throw new SdkError('NOT_FOUND', 'not_found');
  return conversation;
}
