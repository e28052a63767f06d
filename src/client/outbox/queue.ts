/**
 * Owns the way of each entry to its outcome: in order per conversation, sealed and kept before it may be sent, sent again byte for
 * byte while the outcome is unknown (P3, P4). Who gets to send, and when bytes are final: docs/decisions/0009-outbox-and-tabs.md.
 */
import { backoffMs, sleep } from '../backoff.ts';
import type { Context } from '../context.ts';
import { rotate } from '../epochs.ts';
import { isReason, isUndecided, SdkError, toSdkError } from '../errors.ts';
import { selectChanged } from '../select.ts';
import { type Attachment, withThumbnails } from '../files/attachment.ts';
import type { Uploads } from '../files/upload.ts';
import { Delivery } from './delivery.ts';
import { attachmentsOf, type Entry, isSend, targetOf } from './entry.ts';
import { fold } from './fold.ts';
import type { End, Shelf } from './shelf.ts';

/** Refusals that sealing anew may cure. More in a row than this is somebody playing with us. */
const MAX_RESEALS = 5;
/** Failures of the server itself, in a row, before the person is told. Lost connections are waited out for ever. */
const MAX_FAULTS = 5;
/** The server takes no envelope that was made more than a day ago. One that waited nearly so long is sealed anew. */
const MAX_AGE_MS = 20 * 60 * 60 * 1_000;
/** Longer than an attempt, which is the longest that a conversation is held. */
const LOCK_PATIENCE_MS = 20_000;

export interface QueueListeners {
  onFinished(entry: Entry, end: End): void;
  onFailed(entry: Entry, error: unknown): void;
  onFolded(changed: Entry[], dropped: Entry[]): void;
  onStep(entry: Entry, step: 'waiting' | 'sending'): void;
}

/** What became of an entry in this run of the page. */
interface Trouble {
  attempts: number;
  reseals: number;
  faults: number;
  /** A rotation was tried because of somebody's new keys who is not here any more. */
  cleared: boolean;
  /** The keys, or the message, have changed: to be looked at before the next attempt. */
  stale: unknown;
}

export class Queue {
  readonly #context: Context;
  readonly #shelf: Shelf;
  readonly #uploads: Uploads;
  readonly #listeners: QueueListeners;
  readonly #delivery: Delivery;
  readonly #draining = new Set<string>();
  /** Seals under way, by entry. */
  readonly #sealing = new Map<string, Promise<void>>();
  readonly #troubles = new Map<string, Trouble>();

  constructor(context: Context, { shelf, uploads }: { shelf: Shelf; uploads: Uploads }, listeners: QueueListeners) {
    this.#context = context;
    this.#shelf = shelf;
    this.#uploads = uploads;
    this.#listeners = listeners;
    this.#delivery = new Delivery(context);
  }

  /** The oldest that can go. What is done to a message that was refused waits with it. */
  next(conversationId: string): Entry | undefined {
    let oldest: Entry | undefined;
    for (const entry of this.#shelf.all()) {
      if (entry.conversationId !== conversationId || entry.failed !== null) continue;
      if (!isSend(entry) && (this.#shelf.get(targetOf(entry))?.failed ?? null) !== null) continue;
      if (!oldest || entry.id < oldest.id) oldest = entry;
    }
    return oldest;
  }

  /** Until nothing waits; harmless to repeat. */
  async drain(conversationId: string): Promise<void> {
    if (this.#draining.has(conversationId)) return;
    this.#draining.add(conversationId);
    try {
      for (let next = this.next(conversationId); next; next = this.next(conversationId)) {
        if (this.#context.signal.aborted) return;
        await this.#deliver(next);
      }
    } finally {
      this.#draining.delete(conversationId);
    }
  }

  /** Seals a message that was just written, and keeps it, sealed or not. */
  seal(entry: Entry): void {
    const { id, act } = entry;
    const sealing = this.#delivery.seal(entry, false).then(
      // Unless it says something else by now.
      (sealed) => (this.#shelf.get(id)?.act === act ? this.#shelf.update(id, { sealed }) : undefined),
      // Offline, and the keys not known yet. The text itself is kept, under the device key.
      () => this.#shelf.update(id, { attempted: false }),
    );
    const over = () => void this.#sealing.delete(id);
    this.#sealing.set(id, sealing.then(over, over));
  }

  /** A message whose files are being sealed: kept, and sealed itself, when they are. Resolves when that is over. */
  stage(entry: Entry, sealed: Promise<Attachment[]>): Promise<void> {
    const { id } = entry;
    const staging = sealed.then(async (attachments) => {
      // Its text may have been changed since.
      const now = this.#shelf.get(id);
      if (now?.act.kind !== 'send') return;
      const act = { ...now.act, payload: { ...now.act.payload, attachments } };
      await this.#shelf.update(id, { act, sealed: null });
    });
    const over = () => void this.#sealing.delete(id);
    const ended = staging.then(over, over);
    this.#sealing.set(id, ended);
    return ended;
  }

  /** Puts together what belongs together, while nobody is sending any of it. */
  async fold(conversationId: string): Promise<void> {
    await this.locked(conversationId, async () => {
      for (const { id, attempted } of this.#shelf.of(conversationId)) if (!attempted) await this.#shelf.reread(id);
      const { changed, dropped } = fold(this.#shelf.of(conversationId));
      for (const entry of changed) {
        this.#troubles.delete(entry.id);
        // Sealed at its turn, like everything that another tab could meanwhile send.
        await this.#shelf.update(entry.id, entry);
      }
      // Only now: the page may be closed at any moment.
      this.#listeners.onFolded(changed, dropped);
    }).catch(() => {});
  }

  /** As if it had never been tried. */
  forget(id: string): void {
    this.#troubles.delete(id);
  }

  /** While no tab sends anything of this conversation. */
  locked<T>(conversationId: string, task: () => Promise<T>): Promise<T> {
    return this.#context.tabs.exclusively(`parley-outbox/${conversationId}`, task, LOCK_PATIENCE_MS);
  }

  /** One attempt, and what follows from it. */
  async #deliver(entry: Entry): Promise<void> {
    const { connection, signal } = this.#context;
    const { id, conversationId } = entry;
    const trouble = this.#troubleOf(id);
    const isLate = !connection.isOnline || trouble.attempts > 0;
    try {
      if (!connection.isOnline) await connection.whenOnline(signal);
      if (signal.aborted) return;
      if (trouble.stale !== undefined) {
        await this.#renew(conversationId, trouble.stale);
        trouble.stale = isReason(trouble.stale, 'revision_stale') ? trouble.stale : undefined;
      }
      if (isLate) this.#listeners.onStep(entry, 'sending');
      // What may be stored already has its files there.
      if (!entry.attempted) await this.#uploads.bring(entry, attachmentsOf(entry));
      await this.locked(conversationId, () => this.#attempt(id));
    } catch (raw) {
      if (!signal.aborted) await this.#judge(id, toSdkError(raw));
    }
  }

  async #attempt(id: string): Promise<void> {
    const ready = await this.#ready(id);
    if (!ready?.sealed) return;
    const outcome = await this.#delivery.attempt(ready, ready.sealed);
    this.#finish(ready, outcome);
    if (!('stored' in outcome) || outcome.stored.seq === null) return;
    // The next one waits for it. Signed out meanwhile: there is no next one.
    await this.#context.keyring.noteSent(ready, outcome.stored.seq, ready.sealed).catch(() => {});
  }

  /** Sealed, and kept as something that may have been sent. Undefined when another tab was faster. */
  async #ready(id: string): Promise<Entry | undefined> {
    await this.#sealing.get(id);
    let entry = this.#shelf.get(id);
    // What this tab wrote and may have sent, no other changes.
    if (entry && !(entry.attempted && this.#shelf.isOwn(id))) entry = await this.#shelf.reread(id);
    if (!entry || entry.failed !== null) return undefined;
    if (entry.attempted && entry.sealed) return entry;
    // It was kept before its files were all sealed, and that page is gone: nobody could open what names no hash.
    if (withThumbnails(attachmentsOf(entry)).some(({ sha256 }) => sha256 === '')) {
      throw new SdkError('CRYPTO', 'FILE_UNREADABLE');
    }
    const createdMs = isOld(entry) ? Date.now() : entry.createdMs;
    const trouble = this.#troubleOf(id);
    const isGood = entry.sealed !== null && createdMs === entry.createdMs;
    const sealed = isGood
      ? entry.sealed
      : await this.#delivery.seal({ ...entry, createdMs }, trouble.stale !== undefined);
    trouble.stale = undefined;
    return this.#shelf.update(id, { sealed, createdMs, attempted: true });
  }

  /** Decides what a failed attempt means. */
  async #judge(id: string, error: unknown): Promise<void> {
    const entry = this.#shelf.get(id);
    if (!entry) return;
    const trouble = this.#troubleOf(id);
    trouble.attempts++;
    if (isReason(error, 'message_id_taken')) return this.#settle(entry, error);
    if (this.#delivery.isDone(entry, error)) return this.#finish(entry, 'dropped');
    if (isReason(error, 'contact_changed')) return this.#wait(entry, trouble, error);
    const isStale = isReason(
      error,
      'epoch_stale',
      'identity_stale',
      'rekey_required',
      'NO_EPOCH_KEY',
      'EPOCH_WORN',
      'revision_stale',
      // Swept up while it waited here: brought once more.
      'attachment_unknown',
    );
    const isTooOld = isReason(error, 'bad_format') && isOld(entry);
    if ((isStale || isTooOld) && trouble.reseals++ < MAX_RESEALS) {
      // Refused, so not stored: sealing anew makes no second one, and what was done to it since can still become part of it.
      trouble.stale = error;
      await this.#shelf.update(id, { sealed: null, attempted: false });
      return this.fold(entry.conversationId);
    }
    const isFault =
      error instanceof SdkError && error.code === 'INTERNAL_SERVER_ERROR' && ++trouble.faults < MAX_FAULTS;
    if (!isUndecided(error) && !isFault) return this.#fail(entry, error);
    this.#listeners.onStep(entry, 'waiting');
    if (!this.#context.connection.isOnline) return;
    const ms = Math.max((error as SdkError).retryAfterMs ?? 0, backoffMs(trouble.attempts));
    await sleep(ms, this.#context.signal);
  }

  /** For a person to decide about somebody's new keys. Nothing is lost, and nothing behind it overtakes. */
  async #wait(entry: Entry, trouble: Trouble, error: unknown): Promise<void> {
    const { signal, store } = this.#context;
    this.#listeners.onStep(entry, 'waiting');
    const isBlocked = () => selectChanged(entry.conversationId)(store.state) !== undefined;
    // The keys are looked at here before what was found reaches the store.
    await this.#until(isBlocked, sleep(backoffMs(trouble.attempts), signal));
    if (signal.aborted) return;
    if (isBlocked()) {
      trouble.cleared = false;
      return this.#until(() => !isBlocked());
    }
    // Whoever it is has left: a rotation puts them out, and asks nothing about them.
    if (trouble.cleared) return this.#fail(entry, error);
    trouble.cleared = true;
    trouble.stale = error;
  }

  /** Until it holds, or the time is over, or the page. */
  #until(holds: () => boolean, over?: Promise<void>): Promise<void> {
    const { signal, store } = this.#context;
    return new Promise((resolve) => {
      const end = () => {
        stop();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const stop = store.chat.subscribe(() => holds() && end());
      signal.addEventListener('abort', end, { once: true });
      if (holds() || signal.aborted) end();
      void over?.then(end);
    });
  }

  async #settle(entry: Entry, error: unknown): Promise<void> {
    try {
      this.#finish(entry, await this.#delivery.mine(entry, error));
    } catch {
      await this.#fail(entry, error);
    }
  }

  async #fail(entry: Entry, error: unknown): Promise<void> {
    // Nobody could be shown it, and nobody could do anything about it.
    const isGone = !this.#context.store.state.conversations[entry.conversationId];
    if (isGone && isReason(error, 'not_found')) return this.#finish(entry, 'dropped');
    if (!(error instanceof SdkError)) console.error('parley: something could not be sent', error);
    const failed = error instanceof SdkError ? error.reason : 'internal';
    // A refusal is an answer: it is not stored. A fault is none.
    const kept = this.#shelf.update(entry.id, { failed, attempted: entry.attempted && failed === 'internal' });
    this.#listeners.onFailed({ ...entry, failed }, error);
    await kept;
  }

  async #renew(conversationId: string, reason: unknown): Promise<void> {
    if (isReason(reason, 'epoch_stale')) await this.#context.keyring.sync(conversationId);
    else if (isReason(reason, 'rekey_required')) await rotate(this.#context, conversationId, 'rekey_required');
    else if (!isReason(reason, 'revision_stale', 'bad_format', 'attachment_unknown'))
      await rotate(this.#context, conversationId);
  }

  #finish(entry: Entry, end: End): void {
    this.#troubles.delete(entry.id);
    this.#shelf.drop(entry.id, end);
    this.#listeners.onFinished(entry, end);
  }

  #troubleOf(id: string): Trouble {
    const trouble = this.#troubles.get(id) ?? { attempts: 0, reseals: 0, faults: 0, cleared: false, stale: undefined };
    this.#troubles.set(id, trouble);
    return trouble;
  }
}

const isOld = ({ createdMs }: Entry): boolean => Date.now() - createdMs > MAX_AGE_MS;
