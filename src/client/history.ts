/** Owns the loading of pages: the newest, older, newer, around a message. One load per conversation at a time. */
import { Serial } from '#lib/serial';
import type { Context } from './context.ts';
import { inSdkWords, SdkError } from './errors.ts';
import { openMessages } from './opening.ts';
import type { Change } from './state/change.ts';
import type { MessageView, Timeline } from './types.ts';

const PAGE = 50;
/** The server's limit; taken when there is more unread than one usual page shows. */
const BIG_PAGE = 100;

interface Ends {
  older: string | null;
  newer: string | null;
}

/** Of a page that was overtaken by the feed while it was on its way. */
const MAX_RELOADS = 2;

type Place = 'replace' | 'older' | 'newer';

export class History {
  readonly #context: Context;
  readonly #serial = new Serial();
  readonly #ends = new Map<string, Ends>();
  /** How often the feed has brought something, by conversation. */
  readonly #changes = new Map<string, number>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Harmless to repeat. */
  async open(conversationId: string): Promise<void> {
    if (this.#isLoaded(conversationId)) return;
    // Whoever was removed and comes back starts with nothing.
    if (!this.#timeline(conversationId)) this.#ends.delete(conversationId);
    await this.#run(conversationId, 'first', async () => {
      if (!this.#ends.has(conversationId)) await this.#newest(conversationId);
    });
  }

  async older(conversationId: string): Promise<void> {
    if (!this.#timeline(conversationId)?.hasOlder) return;
    await this.#run(conversationId, 'older', async () => {
      const cursor = this.#ends.get(conversationId)?.older;
      if (cursor) await this.#load(conversationId, { cursor }, 'older');
    });
  }

  async newer(conversationId: string): Promise<void> {
    if (!this.#timeline(conversationId)?.hasNewer) return;
    await this.#run(conversationId, 'newer', async () => {
      const cursor = this.#ends.get(conversationId)?.newer;
      // A window that was cut off from what came has no cursor for it: it goes on around its last message.
      const around = this.#timeline(conversationId)?.ids.at(-1);
      if (!cursor && !around) return;
      await this.#load(conversationId, cursor ? { cursor } : { around: around ?? '' }, 'newer');
      // What came live while the last page was loading was not let into the window.
      if (this.#timeline(conversationId)?.hasNewer === false) await this.#closeGap(conversationId);
    });
  }

  jumpTo(conversationId: string, messageId: string): Promise<void> {
    return this.#run(conversationId, 'first', async () => {
      if (this.#timeline(conversationId)?.byId.get(messageId)) return;
      const messages = await this.#load(conversationId, { around: messageId }, 'replace');
      if (!messages.some(({ id }) => id === messageId)) throw new SdkError('NOT_FOUND', 'not_found');
    });
  }

  jumpToLatest(conversationId: string): Promise<void> {
    return this.#run(conversationId, 'first', async () => {
      if (this.#timeline(conversationId)?.hasNewer) await this.#newest(conversationId);
    });
  }

  /** After a snapshot everything loaded is loaded anew, and after a gap what it is in. */
  async reload(conversationId: string): Promise<void> {
    if (!this.#isLoaded(conversationId)) return;
    await this.#run(conversationId, 'first', () => this.#newest(conversationId)).catch(() => {});
  }

  /** The feed has applied something there: a page that is on its way is older than that. */
  changed(conversationIds: Iterable<string>): void {
    for (const id of conversationIds) this.#changes.set(id, (this.#changes.get(id) ?? 0) + 1);
  }

  loaded(): string[] {
    return [...this.#ends.keys()];
  }

  #newest(conversationId: string): Promise<MessageView[]> {
    const unread = this.#context.store.state.conversations[conversationId]?.unreadCount ?? 0;
    return this.#load(conversationId, { limit: unread >= PAGE ? BIG_PAGE : PAGE }, 'replace');
  }

  async #closeGap(conversationId: string): Promise<void> {
    const timeline = this.#timeline(conversationId);
    const last = timeline?.byId.get(timeline.ids.at(-1) ?? '')?.seq ?? 0;
    const { lastSeq = 0 } = this.#context.store.state.conversations[conversationId] ?? {};
    if (last < lastSeq) await this.#newest(conversationId);
  }

  async #load(
    conversationId: string,
    where: { cursor?: string; around?: string; limit?: number },
    place: Place,
  ): Promise<MessageView[]> {
    const { api, store } = this.#context;
    const fetch = async () => {
      const page = await inSdkWords(api.messages.list.query({ conversationId, limit: PAGE, ...where }));
      return { page, messages: await openMessages(this.#context, page.messages.toReversed()) };
    };
    let changes = this.#changes.get(conversationId);
    let { page, messages } = await fetch();
    for (let tries = 0; tries < MAX_RELOADS && changes !== this.#changes.get(conversationId); tries++) {
      changes = this.#changes.get(conversationId);
      ({ page, messages } = await fetch());
    }
    const before = this.#ends.get(conversationId);
    const ends: Ends = {
      older: place === 'newer' ? (before?.older ?? null) : page.nextCursor,
      newer: place === 'older' ? (before?.newer ?? null) : page.prevCursor,
    };
    this.#ends.set(conversationId, ends);
    const change: Change = {
      type: 'window',
      conversationId,
      messages,
      place,
      hasOlder: ends.older !== null,
      hasNewer: ends.newer !== null,
    };
    store.apply(change);
    return messages;
  }

  #run(conversationId: string, loading: Timeline['loading'], task: () => Promise<unknown>): Promise<void> {
    return this.#serial.run(conversationId, async () => {
      const { store, signal } = this.#context;
      store.apply({ type: 'loading', conversationId, loading });
      try {
        await task();
        if (!signal.aborted) store.apply({ type: 'loading', conversationId, loading: 'none' });
      } catch (error) {
        const problem = error instanceof SdkError ? error.reason : 'internal';
        if (!signal.aborted) store.apply({ type: 'problem', conversationId, problem });
        throw error;
      }
    });
  }

  #isLoaded(conversationId: string): boolean {
    return this.#ends.has(conversationId) && this.#timeline(conversationId) !== undefined;
  }

  #timeline(conversationId: string): Timeline | undefined {
    return this.#context.store.state.timelines[conversationId];
  }
}
