/** Owns a chat while somebody is signed in: starts every part, lets them know of each other, ends them together. */
import { AccountLife } from './account.ts';
import { Conversations } from './conversations.ts';
import type { Context } from './context.ts';
import { backoffMs, sleep } from './backoff.ts';
import { mayPass } from './errors.ts';
import { Feed } from './feed.ts';
import { Downloads } from './files/download.ts';
import { History } from './history.ts';
import { Outbox } from './outbox/outbox.ts';
import { Receipts } from './receipts.ts';
import { Signals } from './signals.ts';
import { TrustSync } from './trust.ts';

export class Running {
  readonly account: AccountLife;
  readonly conversations: Conversations;
  readonly downloads: Downloads;
  readonly history: History;
  readonly outbox: Outbox;
  readonly receipts: Receipts;
  readonly signals: Signals;
  readonly trust: TrustSync;
  readonly #context: Context;
  readonly #feed: Feed;

  constructor(context: Context) {
    this.#context = context;
    this.conversations = new Conversations(context);
    this.account = new AccountLife(context, this.conversations);
    this.downloads = new Downloads(context);
    this.history = new History(context);
    this.outbox = new Outbox(context);
    this.receipts = new Receipts(context);
    this.signals = new Signals(context);
    this.trust = new TrustSync(context);
    this.#feed = new Feed(context, {
      onApplied: (ids) => this.#applied(ids),
      onSnapshot: () => this.#snapshot(),
      onGap: (id) => void this.history.reload(id),
    });
  }

  /** Resolves once there is something to see, however long the network takes. */
  async start(): Promise<void> {
    const { signal } = this.#context;
    this.signals.start();
    this.account.start();
    await this.trust.start();
    // Needs no network, and what is written from here on has to be kept.
    const opening = this.outbox.open();
    // Reported where it is awaited, which may be much later.
    opening.catch(() => {});
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await this.#feed.start();
        break;
      } catch (error) {
        if (!mayPass(error)) throw error;
        await sleep(backoffMs(attempt), signal);
      }
    }
    await opening;
    // What is waiting is signed with the keys that others know.
    await this.account.begin().catch(() => {});
    await this.outbox.start();
  }

  async loadMoreConversations(): Promise<void> {
    await this.conversations.loadMore();
    // What came while nobody here knew of them has been delivered, too.
    this.receipts.delivered(Object.keys(this.#context.store.state.conversations));
  }

  online(): void {
    void this.account.settle().catch(() => {});
    this.signals.online();
    this.trust.online();
  }

  offline(): void {
    this.signals.offline();
    this.#feed.lost();
    this.outbox.offline();
  }

  #applied(conversationIds: Set<string>): void {
    this.history.changed(conversationIds);
    this.receipts.delivered(conversationIds);
    this.trust.look(conversationIds);
    const { conversations } = this.#context.store.state;
    for (const id of conversationIds) {
      const last = conversations[id]?.lastMessage;
      if (last) this.signals.arrived(id, last.senderId);
    }
  }

  #snapshot(): void {
    const all = Object.keys(this.#context.store.state.conversations);
    this.receipts.delivered(all);
    this.trust.look(all);
    for (const id of this.history.loaded()) void this.history.reload(id);
  }
}
