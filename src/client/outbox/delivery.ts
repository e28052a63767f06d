/** Owns how each thing I do goes out: sealed how, by which call, what an answer means, and which refusals are none. */
import type { MessageSeen } from '#protocol/message';
import { type Context, meOf } from '../context.ts';
import { callDirectly } from '../direct-link.ts';
import { inSdkWords, isReason, SdkError } from '../errors.ts';
import { kindOf, withThumbnails, writeAttachment } from '../files/attachment.ts';
import { openMessages } from '../opening.ts';
import { beneath } from '../state/layers.ts';
import type { MessageView } from '../types.ts';
import type { Entry, Sealed } from './entry.ts';

/** One attempt. The server answers in milliseconds or is in trouble. */
const ATTEMPT_MS = 15_000;

/** What the other tabs have to know, too: how the message is stored, or at which version of it the act was done. */
export type Outcome =
  | {
      stored: Pick<MessageView, 'seq' | 'version' | 'createdAt' | 'firstKeyEpoch' | 'isEdited' | 'isDeleted'> & {
        reactions: readonly unknown[];
      };
    }
  | { since: number; tag: string | undefined };

export class Delivery {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** For the message as it is now; `fresh` asks the server how it is. */
  async seal(entry: Entry, fresh: boolean): Promise<Sealed> {
    const { keyring } = this.#context;
    const { id, conversationId, createdMs, act } = entry;
    if (act.kind === 'send') {
      return { ...(await keyring.seal({ id, conversationId, payload: act.payload, createdMs })), since: 0 };
    }
    const target = await this.#target(entry, act.messageId, fresh);
    const { revision, version: since, content } = target;
    const draft = { id: act.messageId, conversationId, createdMs, revision: revision + 1 };
    switch (act.kind) {
      case 'edit': {
        const reply = content.kind === 'text' && content.replyTo ? { reply_to: { id: content.replyTo } } : {};
        const files = content.kind === 'text' ? (content.files ?? []) : [];
        const attachments = files.length > 0 ? { t: kindOf(files), attachments: files.map(writeAttachment) } : {};
        const payload = { t: 'text', body: act.body, ...reply, ...attachments };
        return { ...(await keyring.seal({ ...draft, payload, type: 'edit' })), since };
      }
      case 'delete':
        return { ...(await keyring.seal({ ...draft, payload: {}, type: 'delete' })), since };
      case 'react':
        return { ...(await this.#reaction(entry, act.emoji, target)), since };
      case 'unreact': {
        const known = target.reactions.find(({ emoji, mine }) => mine && emoji !== null && emoji === act.emoji)?.tag;
        const tag = act.tag ?? known ?? (await this.#reaction(entry, act.emoji ?? '', target)).tag;
        return { contentEncrypted: '', keyEpoch: 0, tag, since };
      }
    }
  }

  /** Ends within a bound: answered, refused, or given up with the outcome unknown, to be repeated byte for byte. */
  async attempt(entry: Entry, sealed: Sealed): Promise<Outcome> {
    const call = this.#call(entry, sealed);
    return Promise.race([inSdkWords(call), patience(call)]);
  }

  /** Refused, but what was wanted is so. */
  isDone({ act }: Entry, error: unknown): boolean {
    switch (act.kind) {
      case 'react':
        return isReason(error, 'already_reacted', 'message_deleted', 'not_found');
      case 'unreact':
      case 'delete':
        return isReason(error, 'message_deleted', 'not_found');
      case 'send':
      case 'edit':
        return false;
    }
  }

  /** My own id, taken: an attempt from before a reload, or from another tab, has made it. */
  async mine({ id, conversationId }: Entry, error: unknown): Promise<Outcome> {
    const stored = await this.#ask(conversationId, id).catch(() => undefined);
    if (stored?.senderId !== meOf(this.#context)) throw error;
    return { stored };
  }

  #call(entry: Entry, sealed: Sealed): Promise<Outcome> {
    const { api, connection } = this.#context;
    const { act, id, conversationId } = entry;
    const { contentEncrypted, keyEpoch, tag = '', since } = sealed;
    const outcome = (): Outcome => ({ since, tag: sealed.tag });
    switch (act.kind) {
      case 'send': {
        const attachmentIds = withThumbnails(act.payload.attachments ?? []).map((one) => one.id);
        // Whether it is a picture or a voice is nobody's business but the readers'.
        const kind =
          attachmentIds.length > 0 ? { messageType: 'file' as const, attachmentIds } : { messageType: 'text' as const };
        const input = { id, conversationId, ...kind, contentEncrypted, keyEpoch };
        const sending =
          callDirectly<typeof input, MessageSeen>(connection, 'messages.send', input) ??
          api.messages.send.mutate(input);
        return sending.then((stored) => ({ stored }));
      }
      case 'edit':
        return api.messages.edit.mutate({ messageId: act.messageId, contentEncrypted, keyEpoch }).then(outcome);
      case 'delete':
        return api.messages.delete.mutate({ messageId: act.messageId, contentEncrypted }).then(outcome);
      case 'react':
        return api.messages.react.mutate({ messageId: act.messageId, id, tag, contentEncrypted }).then(outcome);
      case 'unreact':
        return api.messages.unreact.mutate({ messageId: act.messageId, tag }).then(outcome);
    }
  }

  async #reaction(entry: Entry, emoji: string, target: MessageView) {
    const { id, conversationId, createdMs } = entry;
    const draft = { id, conversationId, targetId: target.id, targetEpoch: target.firstKeyEpoch, createdMs };
    return inSdkWords(this.#context.keyring.sealReaction({ ...draft, emoji }));
  }

  async #target({ conversationId }: Entry, messageId: string, fresh: boolean): Promise<MessageView> {
    const timeline = this.#context.store.state.timelines[conversationId];
    const known = timeline && beneath(timeline, messageId);
    if (known && known.seq !== null && !fresh) return known;
    const found = await this.#ask(conversationId, messageId);
    if (!found) throw new SdkError('NOT_FOUND', 'not_found');
    return found;
  }

  async #ask(conversationId: string, messageId: string): Promise<MessageView | undefined> {
    const { api, signal } = this.#context;
    const limits = { signal: AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]) };
    const asking = api.messages.list.query({ conversationId, around: messageId, limit: 1 }, limits);
    const { messages } = await inSdkWords(asking);
    const [found] = await openMessages(
      this.#context,
      messages.filter(({ id }) => id === messageId),
    );
    return found;
  }
}

/** Never resolves; rejects when the answer takes too long. */
function patience(answer: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new SdkError('TIMEOUT', 'timeout')), ATTEMPT_MS);
    const answered = () => clearTimeout(timer);
    answer.then(answered, answered);
  });
}
