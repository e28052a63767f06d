/** Owns everything I write until it is stored: shown at once, and what becomes of it is shown, too. What was refused waits for me. */
import { uuidv7 } from 'uuidv7';
import { sleep } from '../backoff.ts';
import { type Context, meOf } from '../context.ts';
import { SdkError } from '../errors.ts';
import { refreshConversations } from '../opening.ts';
import type { Change } from '../state/change.ts';
import { isProvisional } from '../state/layers.ts';
import { setUnkept } from '../state/signals.ts';
import type { Draft, MessageView, OutgoingFile, SendState } from '../types.ts';
import { kindOf, readAttachments } from '../files/attachment.ts';
import { Uploads } from '../files/upload.ts';
import { type Act, actViewOf, attachmentsOf, echoOf, type Entry, isSend, type SentPayload, targetOf } from './entry.ts';
import { Queue } from './queue.ts';
import { type End, Shelf } from './shelf.ts';

/** What another tab has written is that tab's to send. When it is still there after this, it may not be that tab's any more. */
const TAKE_OVER_MS = 1_000;
/** After this a new page sends what it has found, if nobody else has. */
const KEEPER_MS = 5_000;

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

export class Outbox {
  readonly #context: Context;
  readonly #shelf: Shelf;
  readonly #uploads: Uploads;
  readonly #queue: Queue;
  /** Who waits for an act of this tab, by entry. */
  readonly #waiters = new Map<string, Waiter>();
  #isKeeper = false;

  constructor(context: Context) {
    this.#context = context;
    this.#shelf = new Shelf(context, {
      onChanged: (entry) => this.#changed(entry),
      onEnded: (entry, end) => this.#finished(entry, end, 'elsewhere'),
    });
    this.#uploads = new Uploads(context);
    this.#queue = new Queue(
      context,
      { shelf: this.#shelf, uploads: this.#uploads },
      {
        onFinished: (entry, end) => this.#finished(entry, end, 'here'),
        onFailed: (entry, error) => {
          this.#show(entry);
          this.#refuse(entry.id, error);
        },
        onFolded: (changed, dropped) => this.#folded(changed, dropped),
        onStep: (entry, step) => isSend(entry) && this.#step(entry, { step }),
      },
    );
    context.signal.addEventListener('abort', () => this.#close(), { once: true });
  }

  /** From here on everything is kept, and other tabs are heard. */
  async open(): Promise<void> {
    await this.#shelf.open();
  }

  /** Shows what an earlier page, or another tab, has left unsent. One of the tabs sees to it that it goes out. */
  async start(): Promise<void> {
    const { tabs, signal, store } = this.#context;
    const entries = this.#shelf.all();
    // Conversations that lie behind the first page are not known yet.
    const { conversations } = store.state;
    const unknown = entries.map(({ conversationId }) => conversationId).filter((id) => !conversations[id]);
    await refreshConversations(this.#context, new Set(unknown)).catch(() => {});
    for (const entry of entries) this.#show(entry);
    void this.#uploads.sweep(entries.flatMap(attachmentsOf)).catch(() => {});
    // The keeper may be a page that is asleep. Two who send the same do no harm, and the conversation's lock keeps them apart.
    void sleep(KEEPER_MS, signal).then(() => !signal.aborted && this.#drainAll());
    void tabs.exclusively(`parley-outbox/${meOf(this.#context)}`, async () => {
      if (signal.aborted) return;
      this.#isKeeper = true;
      await this.#shelf.reload().catch(() => {});
      for (const entry of this.#shelf.all()) this.#show(entry);
      this.#drainAll();
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    });
  }

  #drainAll(): void {
    for (const { conversationId } of this.#shelf.all()) void this.#queue.drain(conversationId);
  }

  /** Everything waits from now on, not only what stands first. */
  offline(): void {
    for (const entry of this.#shelf.all()) {
      if (isSend(entry) && entry.failed === null) this.#step(entry, { step: 'waiting' });
    }
  }

  send(conversationId: string, { text, replyTo, files = [] }: Draft): string {
    const payload = { t: 'text' as const, body: text, ...(replyTo ? { reply_to: { id: replyTo } } : {}) };
    if (files.length > 0) return this.#sendFiles(conversationId, payload, files);
    const entry = this.#new(conversationId, { kind: 'send', payload });
    // On its way at once, so it is kept as such in its first and only write.
    entry.attempted = this.#context.connection.isOnline && this.#queue.next(conversationId) === undefined;
    this.#shelf.add(entry);
    this.#show(entry);
    // Sealed at once, whatever stands before it: the page may be closed at any moment. A failure shows at its turn.
    this.#queue.seal(entry);
    void this.#queue.drain(conversationId);
    return entry.id;
  }

  /** Kept once all of them are sealed: a page that is closed before that could not go on. */
  #sendFiles(conversationId: string, text: SentPayload, files: readonly OutgoingFile[]): string {
    const staged = this.#uploads.stage(conversationId, files, this.#shelf.isLasting);
    const { attachments } = staged;
    const views = readAttachments(conversationId, attachments) ?? [];
    const entry = this.#new(conversationId, { kind: 'send', payload: { ...text, t: kindOf(views), attachments } });
    this.#shelf.add(entry);
    this.#show(entry);
    this.#mark(entry.id, true);
    void this.#queue.stage(entry, staged.sealed).then(() => this.#shelf.isLasting && this.#mark(entry.id, false));
    void this.#queue.drain(conversationId);
    return entry.id;
  }

  #mark(id: string, isUnkept: boolean): void {
    this.#context.store.signal((state) => setUnkept(state, id, isUnkept));
  }

  /** The upload stops where it is and waits for `retry`. */
  pause(id: string): void {
    this.#uploads.pause(id);
  }

  async edit(conversationId: string, messageId: string, body: string): Promise<void> {
    const message = this.#message(conversationId, messageId);
    if (message.senderId !== meOf(this.#context)) throw new SdkError('FORBIDDEN', 'not_the_author');
    await this.#act(conversationId, { kind: 'edit', messageId, body });
  }

  async remove(conversationId: string, messageId: string): Promise<void> {
    this.#message(conversationId, messageId);
    await this.#act(conversationId, { kind: 'delete', messageId });
  }

  async react(conversationId: string, messageId: string, emoji: string): Promise<void> {
    const { reactions } = this.#message(conversationId, messageId);
    if (reactions.some((reaction) => reaction.mine && reaction.emoji === emoji)) return;
    await this.#act(conversationId, { kind: 'react', messageId, emoji });
  }

  async unreact(conversationId: string, messageId: string, tag: string): Promise<void> {
    const { reactions } = this.#message(conversationId, messageId);
    const reaction = reactions.find((one) => one.tag === tag);
    if (!reaction?.mine) return;
    const known = isProvisional(tag) ? null : tag;
    await this.#act(conversationId, { kind: 'unreact', messageId, emoji: reaction.emoji, tag: known });
  }

  retry(id: string): void {
    void this.#alone(id, async (entry) => {
      if (entry.failed === null) return;
      this.#queue.forget(id);
      const again = await this.#shelf.update(id, { failed: null });
      if (again) this.#show(again);
    });
  }

  /** What was refused, or has not left this device. What may be stored already is taken back by `remove`. */
  discard(id: string): void {
    void this.#alone(id, async (entry) => {
      if (entry.failed === null && entry.attempted) return;
      const about = this.#shelf.of(entry.conversationId).filter((one) => isSend(entry) && targetOf(one) === id);
      for (const one of new Set([entry, ...about])) {
        this.#shelf.drop(one.id, 'dropped');
        this.#finished(one, 'dropped', 'here');
      }
    });
  }

  #new(conversationId: string, act: Act): Entry {
    const createdMs = Date.now();
    return { id: uuidv7(), conversationId, createdMs, act, sealed: null, attempted: false, failed: null };
  }

  #act(conversationId: string, act: Act): Promise<void> {
    const entry = this.#new(conversationId, act);
    const done = new Promise<void>((resolve, reject) => this.#waiters.set(entry.id, { resolve, reject }));
    this.#shelf.add(entry);
    void this.#begin(entry);
    return done;
  }

  async #begin(entry: Entry): Promise<void> {
    const { conversationId, id } = entry;
    const isFoldable = this.#shelf
      .of(conversationId)
      .some((one) => one.id !== id && !one.attempted && targetOf(one) === targetOf(entry));
    // A message that has never left just goes: no tombstone of it is shown on the way.
    const isCancel = entry.act.kind === 'delete' && isFoldable;
    if (!isCancel) this.#show(entry);
    await this.#shelf.keep(id);
    if (isFoldable) await this.#queue.fold(conversationId);
    const left = this.#shelf.get(id);
    if (left && isCancel) this.#show(left);
    void this.#queue.drain(conversationId);
  }

  #changed(entry: Entry): void {
    const { id, conversationId, failed } = entry;
    this.#show(entry);
    if (failed !== null) this.#refuse(id, new SdkError('CONFLICT', failed));
    else if (this.#isKeeper) {
      void sleep(TAKE_OVER_MS, this.#context.signal).then(() => this.#queue.drain(conversationId));
    }
  }

  #folded(changed: Entry[], dropped: Entry[]): void {
    this.#context.store.apply(...changed.flatMap((entry) => this.#shown(entry)));
    for (const entry of dropped) {
      this.#shelf.drop(entry.id, 'dropped');
      this.#finished(entry, 'dropped', 'here');
    }
  }

  #finished(entry: Entry, end: End, where: 'here' | 'elsewhere'): void {
    this.#context.store.apply(this.#ended(entry, end, where));
    this.#mark(entry.id, false);
    const attachments = attachmentsOf(entry);
    if (attachments.length > 0) this.#uploads.drop(entry.id, attachments, end !== 'dropped');
    this.#waiters.get(entry.id)?.resolve();
    this.#waiters.delete(entry.id);
  }

  #refuse(id: string, error: unknown): void {
    this.#waiters.get(id)?.reject(error);
    this.#waiters.delete(id);
  }

  #ended(entry: Entry, end: End, where: 'here' | 'elsewhere'): Change {
    const { conversationId, id } = entry;
    const act = actViewOf(entry);
    if (isSend(entry) && end !== 'dropped' && 'stored' in end) {
      const { seq, version, createdAt, firstKeyEpoch } = end.stored;
      const echo = echoOf(entry, meOf(this.#context), { step: 'stored' });
      // Another tab may have sent a later text than the last one seen here, and a repeat is answered with all that was done
      // to the message since: then the feed, with this same version, decides.
      const isAsSent = !end.stored.isEdited && !end.stored.isDeleted && end.stored.reactions.length === 0;
      const known = where === 'here' && isAsSent ? version : version - 1;
      return { type: 'message', message: { ...echo, seq, version: known, createdAt, firstKeyEpoch } };
    }
    if (!act) return { type: 'discard', conversationId, messageId: id };
    const done = end === 'dropped' || 'stored' in end ? { since: null } : end;
    return { type: 'acted', conversationId, messageId: targetOf(entry), act, ...done };
  }

  #show(entry: Entry): void {
    this.#context.store.apply(...this.#shown(entry));
  }

  #shown(entry: Entry): Change[] {
    const { conversationId, failed } = entry;
    if (isSend(entry)) {
      const step = this.#context.connection.isOnline ? 'sending' : 'waiting';
      const send: SendState = failed === null ? { step } : { step: 'failed', reason: failed };
      return [{ type: 'echo', message: echoOf(entry, meOf(this.#context), send) }];
    }
    const act = actViewOf(entry);
    return act ? [{ type: 'act', conversationId, messageId: targetOf(entry), act }] : [];
  }

  #step({ conversationId, id }: Entry, send: SendState): void {
    this.#context.store.apply({ type: 'sending', conversationId, messageId: id, send });
  }

  #message(conversationId: string, messageId: string): MessageView {
    const message = this.#context.store.state.timelines[conversationId]?.byId.get(messageId);
    if (!message) throw new SdkError('NOT_FOUND', 'not_found');
    return message;
  }

  /** With an entry as it is on the device, while nobody sends it. */
  async #alone(id: string, task: (entry: Entry) => Promise<void>): Promise<void> {
    const conversationId = this.#shelf.get(id)?.conversationId;
    if (conversationId === undefined) return;
    await this.#queue
      .locked(conversationId, async () => {
        const entry = await this.#shelf.reread(id);
        if (entry) await task(entry);
      })
      .catch(() => {});
    void this.#queue.drain(conversationId);
  }

  #close(): void {
    for (const { reject } of this.#waiters.values()) reject(new SdkError('CLOSED', 'not_signed_in'));
    this.#waiters.clear();
  }
}
