/** Owns what one does with messages that are stored: edit, delete, react. */
import { uuidv7 } from 'uuidv7';
import type { ReactionSeen } from '#protocol/message';
import { type Context, meOf } from './context.ts';
import { rotate } from './epochs.ts';
import { inSdkWords, isReason, SdkError } from './errors.ts';
import { openMessages } from './opening.ts';
import type { MessageView, ReactionView } from './types.ts';

const ATTEMPTS = 4;
/** For a message that is still on its way. */
const PATIENCE_MS = 10_000;

export class Messages {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async edit(conversationId: string, messageId: string, text: string): Promise<void> {
    const { api, keyring, store } = this.#context;
    await this.#inEpoch(conversationId, async () => {
      const { revision, content } = await this.#whenStored(conversationId, messageId);
      const reply = content.kind === 'text' && content.replyTo ? { reply_to: { id: content.replyTo } } : {};
      const payload = { t: 'text', body: text, ...reply };
      const draft = { id: messageId, conversationId, payload, createdMs: Date.now() };
      const sealed = await inSdkWords(keyring.seal({ ...draft, type: 'edit', revision: revision + 1 }));
      const edited = await inSdkWords(api.messages.edit.mutate({ messageId, ...sealed }));
      const [message] = await openMessages(this.#context, [edited]);
      if (message) store.apply({ type: 'message', message });
    });
  }

  async remove(conversationId: string, messageId: string): Promise<void> {
    const { api, keyring } = this.#context;
    await this.#inEpoch(conversationId, async () => {
      const { revision } = await this.#whenStored(conversationId, messageId);
      const draft = { id: messageId, conversationId, payload: {}, createdMs: Date.now() };
      const { contentEncrypted } = await inSdkWords(keyring.seal({ ...draft, type: 'delete', revision: revision + 1 }));
      await inSdkWords(api.messages.delete.mutate({ messageId, contentEncrypted }));
    });
  }

  async react(conversationId: string, messageId: string, emoji: string): Promise<void> {
    const { api, keyring } = this.#context;
    await this.#inEpoch(conversationId, async () => {
      const { firstKeyEpoch } = await this.#whenStored(conversationId, messageId);
      const id = uuidv7();
      const draft = { id, conversationId, targetId: messageId, targetEpoch: firstKeyEpoch, createdMs: Date.now() };
      const { tag, contentEncrypted } = await inSdkWords(keyring.sealReaction({ ...draft, emoji }));
      const reactions = await inSdkWords(api.messages.react.mutate({ messageId, id, tag, contentEncrypted }));
      this.#showReactions(conversationId, messageId, { reactions, emojis: { [tag]: emoji } });
    });
  }

  async unreact(conversationId: string, messageId: string, tag: string): Promise<void> {
    const { api } = this.#context;
    const reactions = await inSdkWords(api.messages.unreact.mutate({ messageId, tag }));
    this.#showReactions(conversationId, messageId, { reactions, emojis: {} });
  }

  /** Again after a newer epoch, where that is all that was wrong. */
  async #inEpoch(conversationId: string, task: () => Promise<void>): Promise<void> {
    for (let attempts = 1; ; attempts++) {
      try {
        return await task();
      } catch (error) {
        if (attempts >= ATTEMPTS) throw error;
        if (isReason(error, 'rekey_required', 'identity_stale', 'NO_EPOCH_KEY')) {
          await rotate(this.#context, conversationId);
        } else if (isReason(error, 'epoch_stale')) await this.#context.keyring.sync(conversationId);
        else throw error;
      }
    }
  }

  /** One's own message may be changed the moment it is shown: that it is still on its way is waited out, within a bound. */
  async #whenStored(conversationId: string, messageId: string): Promise<MessageView> {
    const { store, signal } = this.#context;
    const pending = () => {
      const message = store.state.timelines[conversationId]?.byId.get(messageId);
      return message?.seq === null && message.send.step !== 'failed';
    };
    if (pending() && !signal.aborted)
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          unsubscribe();
          resolve();
        };
        const timer = setTimeout(done, PATIENCE_MS);
        const unsubscribe = store.chat.subscribe(() => pending() || done());
        signal.addEventListener('abort', done, { once: true });
      });
    return this.#stored(conversationId, messageId);
  }

  #stored(conversationId: string, messageId: string): MessageView {
    const message = this.#context.store.state.timelines[conversationId]?.byId.get(messageId);
    if (!message || message.seq === null) throw new SdkError('NOT_FOUND', 'not_found');
    return message;
  }

  /** The answer comes before the feed's event; the tags it names are opened already, here or as mine. */
  #showReactions(
    conversationId: string,
    messageId: string,
    { reactions, emojis }: { reactions: ReactionSeen[]; emojis: Record<string, string> },
  ): void {
    const { store } = this.#context;
    const me = meOf(this.#context);
    const known = new Map(this.#stored(conversationId, messageId).reactions.map(({ tag, emoji }) => [tag, emoji]));
    const views = reactions.map(({ tag, count, userIds }): ReactionView => {
      const emoji = emojis[tag] ?? known.get(tag) ?? null;
      return { tag, emoji, count, mine: userIds.includes(me), userIds };
    });
    store.apply({ type: 'reactions', conversationId, messageId, reactions: views });
  }
}
