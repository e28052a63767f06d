/**
 * Owns my messages on their way: mint the id, show, seal, persist, send, settle. One queue per conversation, in order;
 * what was sealed is sent again byte for byte, so that a repeated send is the same message (P3, P4, P20).
 */
import { uuidv7 } from 'uuidv7';
import { Serial } from '#lib/serial';
import type { Message } from '#protocol/message';
import { backoffMs, sleep } from './backoff.ts';
import { type Context, meOf } from './context.ts';
import { rotate } from './epochs.ts';
import { callDirectly } from './direct-link.ts';
import { inSdkWords, isReason, isTransient, SdkError, toSdkError } from './errors.ts';
import type { Change } from './state/change.ts';
import type { Draft, MessageView, SendState } from './types.ts';

/** One attempt of a send. The server answers in milliseconds or is in trouble. */
const ATTEMPT_MS = 15_000;
/** Refusals that a newer epoch may cure. More in a row than this is somebody playing with us. */
const MAX_RESEALS = 5;
/** Failures of the server itself, in a row, before the person is told. Lost connections are waited out for ever. */
const MAX_FAULTS = 5;
/**
 * The server takes no envelope that was made more than a day ago. One that waited nearly so long is sealed anew; should
 * the old one have been stored after all, its id is taken, and that is the message.
 */
const MAX_AGE_MS = 20 * 60 * 60 * 1_000;

/** As it is kept, sealed, on this device. */
interface Entry {
  id: string;
  conversationId: string;
  payload: { t: 'text'; body: string; reply_to?: { id: string } };
  createdMs: number;
  sealed: { contentEncrypted: string; keyEpoch: number } | null;
  /** Why it did not go out, for the person to decide. */
  failed: string | null;
}

export class Outbox {
  readonly #context: Context;
  readonly #serial = new Serial();
  readonly #entries = new Map<string, Entry>();
  /** Seals under way, by message. */
  readonly #sealing = new Map<string, Promise<void>>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** What an earlier page left unsent goes out now, in the order in which it was written. */
  async restore(): Promise<void> {
    const entries = (await this.#context.keyring.unsent()) as Entry[];
    for (const entry of entries.sort((a, b) => (a.id < b.id ? -1 : 1))) {
      if (this.#entries.has(entry.id)) continue;
      this.#entries.set(entry.id, entry);
      const send: SendState = entry.failed === null ? { step: 'waiting' } : { step: 'failed', reason: entry.failed };
      this.#context.store.apply({ type: 'echo', message: echoOf(entry, meOf(this.#context), send) });
      if (entry.failed === null) this.#enqueue(entry);
    }
  }

  send(conversationId: string, { text, replyTo }: Draft): string {
    const entry: Entry = {
      id: uuidv7(),
      conversationId,
      payload: { t: 'text', body: text, ...(replyTo ? { reply_to: { id: replyTo } } : {}) },
      createdMs: Date.now(),
      sealed: null,
      failed: null,
    };
    this.#entries.set(entry.id, entry);
    const step = this.#context.connection.isOnline ? 'sending' : 'waiting';
    this.#context.store.apply({ type: 'echo', message: echoOf(entry, meOf(this.#context), { step }) });
    this.#enqueue(entry);
    return entry.id;
  }

  retry(messageId: string): void {
    const entry = this.#entries.get(messageId);
    if (!entry || entry.failed === null) return;
    entry.failed = null;
    this.#show(entry, { step: 'waiting' });
    this.#enqueue(entry);
  }

  discard(messageId: string): void {
    const entry = this.#entries.get(messageId);
    if (!entry) return;
    this.#entries.delete(messageId);
    void this.#context.keyring.dropUnsent(messageId).catch(() => {});
    this.#context.store.apply({ type: 'discard', conversationId: entry.conversationId, messageId });
  }

  #enqueue(entry: Entry): void {
    // At once, whatever stands before it in the queue: the page may be closed at any moment. Failures show at its turn.
    this.#seal(entry).catch(() => {});
    void this.#serial.run(entry.conversationId, () => this.#deliver(entry));
  }

  async #deliver(entry: Entry): Promise<void> {
    try {
      const stored = await this.#untilStored(entry);
      if (!stored) return;
      this.#entries.delete(entry.id);
      this.#context.store.apply(this.#settled(entry, stored));
      await this.#context.keyring.dropUnsent(entry.id).catch(() => {});
    } catch (error) {
      if (this.#context.signal.aborted || !this.#entries.has(entry.id)) return;
      entry.failed = error instanceof SdkError ? error.reason : 'internal';
      this.#show(entry, { step: 'failed', reason: entry.failed });
      await this.#persist(entry).catch(() => {});
      if (!(error instanceof SdkError)) console.error('parley: a message could not be sent', error);
    }
  }

  /** Undefined when it was discarded, or the chat closed, in the meantime. Throws what the person has to be told. */
  async #untilStored(entry: Entry): Promise<Message | undefined> {
    const { connection, signal } = this.#context;
    const isWanted = () => !signal.aborted && this.#entries.has(entry.id);
    let reseals = 0;
    let faults = 0;
    for (let attempt = 0; isWanted(); attempt++) {
      try {
        await this.#seal(entry);
        if (!connection.isOnline) {
          this.#show(entry, { step: 'waiting' });
          await connection.whenOnline(signal);
          if (!isWanted()) return undefined;
        }
        if (attempt > 0) this.#show(entry, { step: 'sending' });
        return await this.#attempt(entry);
      } catch (raw) {
        const error = toSdkError(raw);
        if (isReason(error, 'message_id_taken')) return this.#mine(entry, error);
        if (isReason(error, 'epoch_stale', 'identity_stale', 'rekey_required', 'NO_EPOCH_KEY')) {
          if (++reseals > MAX_RESEALS) throw error;
          await this.#renewEpoch(entry, error);
          continue;
        }
        const isFault = error instanceof SdkError && error.code === 'INTERNAL_SERVER_ERROR' && ++faults < MAX_FAULTS;
        if (!isTransient(error) && !isFault) throw error;
        this.#show(entry, { step: 'waiting' });
        await sleep(Math.max((error as SdkError).retryAfterMs ?? 0, backoffMs(attempt)), signal);
      }
    }
    return undefined;
  }

  /** Before the first attempt, and kept: the outcome of an attempt may stay unknown. */
  #seal(entry: Entry): Promise<void> {
    const now = Date.now();
    if (now - entry.createdMs > MAX_AGE_MS) Object.assign(entry, { sealed: null, createdMs: now });
    if (entry.sealed) return Promise.resolve();
    const sealing =
      this.#sealing.get(entry.id) ?? this.#sealAndKeep(entry).finally(() => this.#sealing.delete(entry.id));
    this.#sealing.set(entry.id, sealing);
    return sealing;
  }

  async #sealAndKeep(entry: Entry): Promise<void> {
    const { id, conversationId, payload, createdMs } = entry;
    try {
      entry.sealed = await this.#context.keyring.seal({ id, conversationId, payload, createdMs });
    } finally {
      // Without a seal (offline, keys unknown yet) the text itself is kept, under the device key.
      await this.#persist(entry);
    }
  }

  /** Ends within a bound: answered, refused, or given up with the outcome unknown, to be repeated byte for byte. */
  async #attempt({ id, conversationId, sealed }: Entry): Promise<Message> {
    if (!sealed) throw new TypeError('sealed before it is sent');
    const { api, connection } = this.#context;
    const input = { id, conversationId, messageType: 'text' as const, ...sealed };
    const sending =
      callDirectly<typeof input, Message>(connection, 'messages.send', input) ?? api.messages.send.mutate(input);
    return Promise.race([inSdkWords(sending), this.#patience(sending)]);
  }

  /** Never resolves; rejects when the answer takes too long. */
  #patience(sending: Promise<unknown>): Promise<never> {
    return new Promise((_, reject) => {
      const timer = setTimeout(() => reject(new SdkError('TIMEOUT', 'timeout')), ATTEMPT_MS);
      const answered = () => clearTimeout(timer);
      sending.then(answered, answered);
    });
  }

  /** The server has refused the epoch, so it has not stored the message: sealing anew makes no second one. */
  async #renewEpoch(entry: Entry, error: unknown): Promise<void> {
    const { keyring } = this.#context;
    entry.sealed = null;
    if (isReason(error, 'rekey_required', 'identity_stale', 'NO_EPOCH_KEY')) {
      await rotate(this.#context, entry.conversationId);
    } else await keyring.sync(entry.conversationId);
  }

  /** My own id, taken: an attempt from before a reload, or from another tab, has made it. */
  async #mine({ id, conversationId }: Entry, error: unknown): Promise<Message> {
    const { api } = this.#context;
    const page = await inSdkWords(api.messages.list.query({ conversationId, around: id, limit: 1 })).catch(() => null);
    const stored = page?.messages.find((message) => message.id === id);
    if (stored?.senderId !== meOf(this.#context)) throw error;
    return stored;
  }

  #settled(entry: Entry, stored: Message): Change {
    const { seq, version, createdAt, firstKeyEpoch } = stored;
    const echo = echoOf(entry, stored.senderId, { step: 'stored' });
    return { type: 'message', message: { ...echo, seq, version, createdAt, firstKeyEpoch } };
  }

  #show({ conversationId, id }: Entry, send: SendState): void {
    this.#context.store.apply({ type: 'sending', conversationId, messageId: id, send });
  }

  async #persist(entry: Entry): Promise<void> {
    if (this.#entries.has(entry.id)) await this.#context.keyring.keepUnsent(entry.id, entry);
  }
}

function echoOf(entry: Entry, me: string, send: SendState): MessageView {
  return {
    id: entry.id,
    conversationId: entry.conversationId,
    seq: null,
    senderId: me,
    type: 'text',
    content: { kind: 'text', body: entry.payload.body, replyTo: entry.payload.reply_to?.id ?? null },
    isEdited: false,
    isDeleted: false,
    createdAt: new Date(entry.createdMs).toISOString(),
    editedAt: null,
    reactions: [],
    send,
    version: 0,
    firstKeyEpoch: 0,
    revision: 0,
  };
}
