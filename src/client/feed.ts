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
import { belongs, hasGap } from './state/timeline.ts';
import type { Timeline } from './types.ts';
import { toFrame, toParticipantView } from './views.ts';

/** Events opened together: about one frame's worth of work for the worker. */
const BATCH = 300;
/** More than this at once is not put into a window that somebody had open: he goes on where he was and loads as he reads. */
const MOST_AT_ONCE = 1_000;

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
  /** False from the loss of a connection until everything missed has been applied. */
  #isLive = false;
  /** The absence that is being made up for: where each conversation ended, and what has come since. */
  #absence: { ends: Map<string, number>; mine: number; fresh: Map<string, Set<number>> } | null = null;
  /** Applied, but not looked at as a whole yet. */
  readonly #touched = new Set<string>();

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
    this.#touched.clear();
    this.#listeners.onSnapshot();
    this.#follow();
    await this.#recount(Object.keys(store.state.conversations));
  }

  /** What comes next is what was missed meanwhile. */
  lost(): void {
    if (!this.#isLive) return;
    this.#isLive = false;
    const { conversations } = this.#context.store.state;
    const ends = new Map(Object.values(conversations).map(({ id, lastSeq }) => [id, lastSeq]));
    this.#absence = { ends, mine: 0, fresh: new Map() };
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
    if (events.some(({ type }) => type === 'live')) changes.push(...this.#caughtUp());
    store.apply(...changes);
    for (const id of touched) this.#touched.add(id);
    // A replay comes in the order of change: until its end there are holes that are none.
    if (!this.#isLive) return;
    const seen = new Set(this.#touched);
    this.#touched.clear();
    this.#listeners.onApplied(seen);
    await this.#heal(seen);
  }

  #caughtUp(): Change[] {
    const absence = this.#absence;
    this.#isLive = true;
    this.#absence = null;
    if (!absence) return [];
    const { awayMs } = this.#context.connection;
    const messages = [...absence.fresh.values()].reduce((sum, { size }) => sum + size, -absence.mine);
    return [{ type: 'caught-up', caughtUp: { messages, awayMs, at: Date.now() } }];
  }

  async #toChanges(events: FeedEvent[]): Promise<Change[]> {
    const { keyring } = this.#context;
    const me = meOf(this.#context);
    // New epochs first: they decide what the messages behind them may use.
    const keyed = new Set(events.flatMap((event) => (event.type === 'keys' ? [event.conversationId] : [])));
    await Promise.all([...keyed].map((id) => keyring.sync(id).catch(ignoreRefusal)));
    const messages = newest(events).filter((message) => !this.#has(message));
    const cuts = this.#count(messages, me);
    const wanted = this.#shown(messages, cuts);
    const frames = events.flatMap((event) => (event.type === 'conversation' ? [event.conversation] : []));
    const [views, titles] = await Promise.all([
      openMessages(this.#context, wanted),
      frames.length > 0 ? inSdkWords(keyring.openTitles(frames.map(({ id, title }) => ({ id, title })))) : [],
    ]);
    const opened = new Map(views.map((view) => [view.id, view]));
    const left = new Map(messages.map((message) => [message.id, message]));
    const changes = events.flatMap((event): Change[] => {
      switch (event.type) {
        case 'message': {
          const message = left.get(event.message.id);
          left.delete(event.message.id);
          const view = opened.get(event.message.id);
          if (view && message) return [{ type: 'message', message: view }];
          return message ? [{ type: 'counted', message }] : [];
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
    return [...cuts.map((conversationId): Change => ({ type: 'cut', conversationId })), ...changes];
  }

  /** Notes what is new; gives the conversations in which that has become too much to be put into an open window. */
  #count(messages: Message[], me: string): string[] {
    const absence = this.#absence;
    const full = new Set<string>();
    if (!absence) return [];
    for (const { conversationId, seq, senderId } of messages) {
      const fresh = absence.fresh.get(conversationId) ?? new Set();
      // Changed, and known before; or given once more after a break.
      if (seq <= (absence.ends.get(conversationId) ?? 0) || fresh.has(seq)) continue;
      if (senderId === me) absence.mine++;
      absence.fresh.set(conversationId, fresh.add(seq));
      if (fresh.size > MOST_AT_ONCE) full.add(conversationId);
    }
    return [...full];
  }

  /**
   * Those that somebody can see: in a loaded window, or as the last of a conversation. The rest only count, and are opened when
   * they are loaded - opening is nearly all that a long replay costs.
   */
  #shown(messages: Message[], cuts: string[]): Message[] {
    const { timelines, conversations } = this.#context.store.state;
    const last = new Map<string, Message>();
    for (const message of messages) {
      if (message.seq >= (last.get(message.conversationId)?.seq ?? 0)) last.set(message.conversationId, message);
    }
    return messages.filter((message) => {
      const { id, conversationId } = message;
      const timeline = timelines[conversationId];
      if (last.get(conversationId) === message || conversations[conversationId]?.lastMessage?.id === id) return true;
      if (!timeline) return false;
      return timeline.byId.get(id) !== undefined || (!cuts.includes(conversationId) && hasPlace(timeline, message));
    });
  }

  /** My own message, settled by the answer to my send before its event came. */
  #has({ conversationId, id, version }: Message): boolean {
    const known = this.#context.store.state.timelines[conversationId]?.byId.get(id);
    return known !== undefined && known.seq !== null && known.version >= version;
  }

  async #recount(ids: Iterable<string>): Promise<void> {
    const { conversations } = this.#context.store.state;
    const stale = [...ids].filter((id) => conversations[id]?.unreadStale);
    if (stale.length > 0) await refreshConversations(this.#context, stale);
  }

  async #heal(touched: ReadonlySet<string>): Promise<void> {
    const { state } = this.#context.store;
    await this.#recount(touched);
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

/** A window that nobody has opened has no place for anything. */
const hasPlace = (timeline: Timeline, message: Message): boolean =>
  (timeline.ids.length > 0 || !timeline.hasOlder) && belongs(timeline, message);

/** Archived in this very batch: no use in asking for it. */
const endsIn = (events: FeedEvent[], id: string): boolean =>
  events.some((event) => event.type === 'conversation' && event.conversation.id === id && !event.conversation.isActive);

/** A log that does not verify shows at each message of it; here only a lost connection counts. */
function ignoreRefusal(error: unknown): void {
  const { name, code } = error as { name?: string; code?: string };
  const refused = name === 'KeyringError' || name === 'CryptoError' || code === 'NOT_FOUND';
  if (!refused) throw error;
}
