/** Owns what passes: typing, presence, other people's receipts. Not kept, not replayed, dropped when the connection is. */
import type { PresenceSignal, PresenceStatus, ReceiptSignal, TypingSignal } from '#protocol/signal';
import type { Context } from './context.ts';
import { refreshConversations } from './opening.ts';
import { myId } from './state/shape.ts';
import { setPresence, setTyping } from './state/signals.ts';
import { keepSubscribed } from './subscribe.ts';

/** Without news for so long, somebody has stopped typing - whatever became of the message that said so. */
const TYPING_ENDS_MS = 3_000;
/** Told again while it goes on; below TYPING_ENDS_MS by more than a slow network takes. */
const TYPING_AGAIN_MS = 1_500;
/** The list of people on the screen changes in bursts while one scrolls. */
const WATCH_SETTLES_MS = 50;
/** Conversations whose ticks are brought up to date after a gap: one page (LIMITS.page). */
const NEWEST = 100;
/** LIMITS.presenceIds. */
const MAX_WATCHED = 500;

type Timer = ReturnType<typeof setTimeout>;

export class Signals {
  readonly #context: Context;
  /** How many places on the screen show each person. */
  readonly #watched = new Map<string, number>();
  readonly #theirTyping = new Map<string, Timer>();
  readonly #myTyping = new Map<string, { toldAt: number; stop: Timer }>();
  #watchTimer: Timer | undefined;
  #endWatch: (() => void) | undefined;
  #status: PresenceStatus = 'online';

  constructor(context: Context) {
    this.#context = context;
    context.signal.addEventListener('abort', () => this.#stopTimers(), { once: true });
  }

  start(): void {
    const { api, signal } = this.#context;
    keepSubscribed(
      (rest) => api.typing.onChange.subscribe(undefined, { ...rest, onData: (s) => this.#typing(s) }),
      signal,
    );
    keepSubscribed(
      (rest) =>
        api.receipts.onChange.subscribe(
          { together: true },
          {
            ...rest,
            onStarted: () => void this.#missedReceipts().catch(ignore),
            onData: (s) => this.#receipt(s),
          },
        ),
      signal,
    );
    this.#watch();
  }

  /** Call it on each keystroke. */
  typing(conversationId: string, isTyping: boolean): void {
    const mine = this.#myTyping.get(conversationId);
    if (!isTyping && !mine) return;
    clearTimeout(mine?.stop);
    if (!isTyping) {
      this.#myTyping.delete(conversationId);
      this.#tell(conversationId, false);
      return;
    }
    const now = Date.now();
    const toldAt = mine && now - mine.toldAt < TYPING_AGAIN_MS ? mine.toldAt : now;
    const stop = setTimeout(() => this.typing(conversationId, false), TYPING_ENDS_MS);
    this.#myTyping.set(conversationId, { toldAt, stop });
    if (toldAt === now) this.#tell(conversationId, true);
  }

  /** What somebody wrote has come: he is not typing it any more. */
  arrived(conversationId: string, userId: string): void {
    this.#forgetTyping(conversationId, userId);
  }

  watch(userIds: readonly string[]): () => void {
    for (const id of userIds) this.#watched.set(id, (this.#watched.get(id) ?? 0) + 1);
    this.#watchSoon();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      for (const id of userIds) {
        const left = (this.#watched.get(id) ?? 0) - 1;
        if (left > 0) this.#watched.set(id, left);
        else this.#watched.delete(id);
      }
      this.#watchSoon();
    };
  }

  setPresence(status: PresenceStatus): void {
    this.#status = status;
    if (this.#context.connection.isOnline) void this.#context.api.presence.set.mutate({ status }).catch(ignore);
  }

  /** The socket is there, again: what it was told before is forgotten. */
  online(): void {
    if (this.#status !== 'online') this.setPresence(this.#status);
  }

  /** Nothing of this can be trusted without a connection. */
  offline(): void {
    this.#stopTimers();
    this.#context.store.signal((state) => ({ ...state, typing: {} }));
  }

  #tell(conversationId: string, isTyping: boolean): void {
    const { api, connection } = this.#context;
    // Late news of typing would be wrong news: without a connection there is none.
    if (connection.isOnline) void api.typing.set.mutate({ conversationId, isTyping }).catch(ignore);
  }

  #typing({ conversationId, userId, isTyping }: TypingSignal): void {
    const { store } = this.#context;
    if (userId === myId(store.state)) return;
    this.#forgetTyping(conversationId, userId);
    if (!isTyping) return;
    const end = setTimeout(() => this.#forgetTyping(conversationId, userId), TYPING_ENDS_MS);
    this.#theirTyping.set(`${conversationId}/${userId}`, end);
    store.signal((state) => setTyping(state, { conversationId, userId, isTyping: true }));
  }

  #forgetTyping(conversationId: string, userId: string): void {
    const key = `${conversationId}/${userId}`;
    clearTimeout(this.#theirTyping.get(key));
    if (!this.#theirTyping.delete(key)) return;
    this.#context.store.signal((state) => setTyping(state, { conversationId, userId, isTyping: false }));
  }

  #receipt({ conversationId, userId, deliveredSeq, readSeq, alike = [] }: ReceiptSignal): void {
    const { store } = this.#context;
    store.apply({ type: 'receipt', conversationId, userIds: [userId, ...alike], deliveredSeq, readSeq });
    // Read on another device, further than what is loaded here can tell.
    if (store.state.conversations[conversationId]?.unreadStale) {
      void refreshConversations(this.#context, [conversationId]).catch(ignore);
    }
  }

  /** Receipts are not replayed: what was told while nobody listened is asked for, each time the listening begins. */
  async #missedReceipts(): Promise<void> {
    const { api, store } = this.#context;
    const { conversations } = await api.conversations.list.query({ limit: NEWEST });
    for (const { id, participants } of conversations) {
      const known = new Map(store.state.conversations[id]?.participants.map((one) => [one.user.id, one]));
      for (const { user, deliveredSeq, readSeq } of participants) {
        const before = known.get(user.id);
        const isNews = before && (deliveredSeq > before.deliveredSeq || readSeq > before.readSeq);
        if (isNews) this.#receipt({ conversationId: id, userId: user.id, deliveredSeq, readSeq, at: '' });
      }
    }
  }

  #watchSoon(): void {
    clearTimeout(this.#watchTimer);
    if (!this.#context.signal.aborted) this.#watchTimer = setTimeout(() => this.#watch(), WATCH_SETTLES_MS);
  }

  #watch(): void {
    const { api, store, signal } = this.#context;
    if (!this.#context.connection.client) return;
    const userIds = [...this.#watched.keys()].slice(0, MAX_WATCHED);
    const endBefore = this.#endWatch;
    const onData = (presence: PresenceSignal) => store.signal((state) => setPresence(state, presence));
    this.#endWatch =
      userIds.length > 0
        ? keepSubscribed((rest) => api.presence.onChange.subscribe({ userIds }, { ...rest, onData }), signal)
        : undefined;
    // The new one first, so that nothing falls between the two.
    endBefore?.();
  }

  #stopTimers(): void {
    clearTimeout(this.#watchTimer);
    for (const timer of this.#theirTyping.values()) clearTimeout(timer);
    for (const { stop } of this.#myTyping.values()) clearTimeout(stop);
    this.#theirTyping.clear();
    this.#myTyping.clear();
  }
}

/** A signal that did not go out is no loss. */
function ignore(): void {}
