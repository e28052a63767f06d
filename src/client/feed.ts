/**
 * Owns the durable stream: follow from my own cursor, open a batch, apply it in one step, move the cursor.
 * State is not kept between page loads, so neither is the cursor: a new page starts from a snapshot.
 */
import type { Unsubscribable } from '@trpc/server/observable';
import { must } from '#lib/must';
import type { FeedEvent } from '#protocol/event';
import type { Message } from '#protocol/message';
import { backoffMs, sleep } from './backoff.ts';
import { type Context, meOf } from './context.ts';
import { inSdkWords, isTransient } from './errors.ts';
import { openConversations, openMessages, refreshConversations } from './opening.ts';
import type { Change } from './state/change.ts';
import { hasGap } from './state/timeline.ts';
import { toFrame, toParticipantView } from './views.ts';

/** Events opened together: about one frame's worth of work for the worker. */
const BATCH = 300;

type Tracked = { id: string; data: FeedEvent };

export interface FeedListeners {
  /** Applied: what is visible now is what the server has, up to here. */
  onApplied(conversationIds: Set<string>): void;
  /** Everything was started over. */
  onSnapshot(): void;
  /** The loaded window of a conversation lacks a message. */
  onGap(conversationId: string): void;
}

export class Feed {
  readonly #context: Context;
  readonly #listeners: FeedListeners;
  #cursor: string | undefined;
  #queue: Tracked[] = [];
  #pumping = false;
  #subscription: Unsubscribable | undefined;
  #failures = 0;

  constructor(context: Context, listeners: FeedListeners) {
    this.#context = context;
    this.#listeners = listeners;
    context.signal.addEventListener('abort', () => this.#subscription?.unsubscribe(), { once: true });
  }

  /** Snapshot first, then everything since: nothing falls between the two. */
  async start(): Promise<void> {
    const { api, store } = this.#context;
    const snapshot = await inSdkWords(api.sync.bootstrap.query());
    const conversations = await openConversations(this.#context, snapshot.conversations);
    if (this.#context.signal.aborted) return;
    const hasMore = snapshot.total > conversations.length;
    store.apply({ type: 'me', me: snapshot.user }, { type: 'bootstrap', conversations, hasMore });
    this.#cursor = snapshot.cursor;
    this.#queue = [];
    this.#listeners.onSnapshot();
    this.#follow();
  }

  #follow(): void {
    const { api, signal } = this.#context;
    this.#subscription?.unsubscribe();
    if (signal.aborted) return;
    const again = () => void this.#later(() => this.#follow());
    // A lost socket is the link's affair: it follows again with the last id it was given.
    this.#subscription = api.feed.follow.subscribe(
      { lastEventId: this.#cursor },
      {
        onData: (event) => {
          this.#failures = 0;
          this.#queue.push(event as Tracked);
          void this.#pump();
        },
        onError: again,
        onComplete: again,
      },
    );
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#queue.length > 0 && !this.#context.signal.aborted) {
        const batch = this.#queue.slice(0, BATCH);
        if (batch.some(({ data }) => data.type === 'resync')) {
          await this.#resync();
          continue;
        }
        await this.#open(batch);
        this.#queue.splice(0, batch.length);
        this.#cursor = must(batch.at(-1), 'not empty').id;
        this.#failures = 0;
      }
    } catch (error) {
      // Keys could not be asked for. The batch stays, the cursor stays, and the same is tried again.
      if (this.#context.signal.aborted) return;
      if (!isTransient(error)) console.error('parley: the feed cannot go on', error);
      void this.#later(() => void this.#pump());
    } finally {
      this.#pumping = false;
    }
  }

  /** The cursor says nothing to this server: start over, explicitly. Until that has worked, the order to do so stays queued. */
  async #resync(): Promise<void> {
    this.#subscription?.unsubscribe();
    await this.start();
  }

  async #open(batch: Tracked[]): Promise<void> {
    const { store } = this.#context;
    const events = batch.map(({ data }) => data);
    const touched = new Set(events.flatMap((event) => conversationIdOf(event) ?? []));
    const unknown = [...touched].filter((id) => !store.state.conversations[id] && !endsIn(events, id));
    await refreshConversations(this.#context, unknown);
    const changes = await this.#toChanges(events);
    if (this.#context.signal.aborted) return;
    store.apply(...changes);
    this.#listeners.onApplied(touched);
    await this.#heal(touched);
  }

  async #toChanges(events: FeedEvent[]): Promise<Change[]> {
    const { keyring } = this.#context;
    const me = meOf(this.#context);
    // New epochs first: they decide what the messages behind them may use.
    const keyed = new Set(events.flatMap((event) => (event.type === 'keys' ? [event.conversationId] : [])));
    await Promise.all([...keyed].map((id) => keyring.sync(id).catch(ignoreRefusal)));
    const messages = newest(events).filter((message) => !this.#has(message));
    const frames = events.flatMap((event) => (event.type === 'conversation' ? [event.conversation] : []));
    const [views, titles] = await Promise.all([
      openMessages(this.#context, messages),
      frames.length > 0 ? inSdkWords(keyring.openTitles(frames.map(({ id, title }) => ({ id, title })))) : [],
    ]);
    const byId = new Map(views.map((view) => [view.id, view]));
    return events.flatMap((event): Change[] => {
      switch (event.type) {
        case 'message': {
          const message = byId.get(event.message.id);
          byId.delete(event.message.id);
          return message ? [{ type: 'message', message }] : [];
        }
        case 'conversation': {
          const title = must(titles[frames.indexOf(event.conversation)], 'one for each');
          return [{ type: 'conversation', conversation: toFrame(event.conversation, title, me) }];
        }
        case 'participant': {
          const { conversationId, userId, version, removed } = event;
          const present = removed ? null : event.participant;
          const participant = present && toParticipantView(present, version);
          return [{ type: 'participant', conversationId, userId, participant, version }];
        }
        case 'keys':
        case 'live':
        case 'resync':
          return [];
      }
    });
  }

  /** My own message, settled by the answer to my send before its event came. */
  #has({ conversationId, id, version }: Message): boolean {
    const known = this.#context.store.state.timelines[conversationId]?.byId.get(id);
    return known !== undefined && known.seq !== null && known.version >= version;
  }

  async #heal(touched: ReadonlySet<string>): Promise<void> {
    const { state } = this.#context.store;
    const stale = [...touched].filter((id) => state.conversations[id]?.unreadStale);
    if (stale.length > 0) await refreshConversations(this.#context, stale);
    if (this.#queue.length > BATCH) return;
    for (const id of touched) {
      const timeline = state.timelines[id];
      if (timeline && timeline.loading === 'none' && hasGap(timeline)) this.#listeners.onGap(id);
    }
  }

  async #later(task: () => void): Promise<void> {
    const { signal } = this.#context;
    if (signal.aborted) return;
    await sleep(backoffMs(this.#failures++), signal);
    if (!signal.aborted) task();
  }
}

function conversationIdOf(event: FeedEvent): string | undefined {
  switch (event.type) {
    case 'message':
      return event.message.conversationId;
    case 'conversation':
      return event.conversation.id;
    case 'participant':
    case 'keys':
      return event.conversationId;
    case 'resync':
    case 'live':
      return undefined;
  }
}

/** Each message once, as the last of its events has it, in the place of the first. */
function newest(events: FeedEvent[]): Message[] {
  const found = new Map<string, Message>();
  for (const event of events) {
    if (event.type !== 'message') continue;
    const known = found.get(event.message.id);
    if (!known || known.version < event.message.version) found.set(event.message.id, event.message);
  }
  return [...found.values()];
}

/** Archived in this very batch: no use in asking for it. */
const endsIn = (events: FeedEvent[], id: string): boolean =>
  events.some((event) => event.type === 'conversation' && event.conversation.id === id && !event.conversation.isActive);

/** A log that does not verify shows at each message of it; here only a lost connection counts. */
function ignoreRefusal(error: unknown): void {
  const { name, code } = error as { name?: string; code?: string };
  const refused = name === 'KeyringError' || name === 'CryptoError' || code === 'NOT_FOUND';
  if (!refused) throw error;
}
