/** Owns carrying out changes of members and keys: write the epoch, offer it, and when another was faster, write it again. */
import type { ConversationSeen } from '#protocol/conversation';
import type { Epoch, Grant } from '#protocol/keys';
import { type Context, conversationOf, meOf } from './context.ts';
import { inSdkWords, isReason, SdkError } from './errors.ts';
import type { Change } from './keyring/author.ts';
import { openConversations, refreshConversations } from './opening.ts';
import type { AboutGroup } from './types.ts';

/** Two people changing the same conversation meet once or twice; more is not chance. */
const ATTEMPTS = 5;

type Offer = (epoch: Epoch, grant: Grant | null) => Promise<ConversationSeen>;
type Wanted = Pick<Change, 'add' | 'remove' | 'role'>;

/** Two tabs must not both rotate: the loser's work would be wasted, a thousand wraps of it. */
const LOCK = 'parley-epoch';

/** Everyone who is gone is put out, everyone's keys are brought up to date, nobody else is touched. */
export async function rotate(context: Context, conversationId: string, why?: 'rekey_required'): Promise<void> {
  const { api, tabs, keyring } = context;
  const { keyEpoch } = conversationOf(context, conversationId);
  const offer: Offer = (epoch) => api.keys.rotate.mutate({ conversationId, epoch });
  await tabs.exclusively(`${LOCK}/${conversationId}`, async () => {
    // Another tab, or another person, may have done it while this one waited.
    await refreshConversations(context, [conversationId]);
    const now = conversationOf(context, conversationId);
    const isDone = why ? !now.rekeyRequired : now.keyEpoch !== keyEpoch;
    if (isDone) await keyring.sync(conversationId);
    else await attempt(context, { conversationId, wanted: {}, offer });
  });
  await resealQuietly(context, conversationId);
}

export async function changeEpoch(
  context: Context,
  conversationId: string,
  wanted: Wanted,
  offer: Offer,
): Promise<void> {
  await context.tabs.exclusively(`${LOCK}/${conversationId}`, () =>
    attempt(context, { conversationId, wanted, offer }),
  );
  await resealQuietly(context, conversationId);
}

/** Not under the lock: it may have to rotate once more. A title that fails is sealed by whoever renames next. */
async function resealQuietly(context: Context, conversationId: string): Promise<void> {
  await resealTitle(context, conversationId).catch((error: unknown) => {
    if (!(error instanceof SdkError)) throw error;
  });
}

async function attempt(
  context: Context,
  change: { conversationId: string; wanted: Wanted; offer: Offer },
): Promise<void> {
  const { keyring, store } = context;
  const { conversationId, wanted, offer } = change;
  const knownEpoch = store.state.conversations[conversationId]?.keyEpoch;
  for (let attempts = 1; ; attempts++) {
    const { participants, rekeyRequired } = conversationOf(context, conversationId);
    const participantIds = participants.map(({ user }) => user.id);
    const createdMs = Date.now();
    try {
      const draft = { conversationId, createdMs, participantIds, rekey: rekeyRequired, ...wanted };
      const { epoch, grant } = await inSdkWords(keyring.change(draft));
      const conversations = await openConversations(context, [await inSdkWords(offer(epoch, grant))]);
      store.apply({ type: 'conversations', conversations });
      return;
    } catch (error) {
      const raced = isReason(error, 'epoch_conflict', 'rekey_required', 'identity_stale', 'epoch_stale');
      if (!raced || attempts >= ATTEMPTS) throw error;
      await refreshConversations(context, [conversationId]);
      const now = conversationOf(context, conversationId);
      // A bare rotation that somebody else has just done need not be done again.
      const done = Object.keys(wanted).length === 0 && !now.rekeyRequired && now.keyEpoch !== knownEpoch;
      if (done) {
        await keyring.sync(conversationId);
        return;
      }
    }
  }
}

/** Under the new epoch, so that those who joined can read it; by whoever may. */
async function resealTitle(context: Context, conversationId: string): Promise<void> {
  const conversation = context.store.state.conversations[conversationId];
  if (!conversation) return;
  const { type, title, myRole } = conversation;
  if (type !== 'group' || title === null || myRole === 'member') return;
  await setTitle(context, conversationId, {});
}

/** What is not named stays as it is when it is sealed, which may be after somebody else's change. */
export async function setTitle(context: Context, conversationId: string, wanted: AboutGroup): Promise<void> {
  const { api, keyring, store } = context;
  for (let attempts = 1; ; attempts++) {
    const { titleRevision, ...now } = conversationOf(context, conversationId);
    const { title, topic, avatar } = { title: now.title, topic: now.topic, avatar: now.avatar, ...wanted };
    // Nobody takes away a name that he cannot read.
    if (title === null) throw new SdkError('CRYPTO', 'NO_EPOCH_KEY');
    const revision = titleRevision + 1;
    const createdMs = Date.now();
    const isNew = title !== now.title;
    const naming = isNew ? { by: meOf(context), at: new Date(createdMs).toISOString(), seq: now.lastSeq } : now.naming;
    const more = { ...(topic ? { topic } : {}), ...(avatar ? { avatar } : {}), ...(naming ? { naming } : {}) };
    const payload = { title, ...more };
    const draft = { id: conversationId, conversationId, createdMs, revision, type: 'meta' as const, payload };
    try {
      const { contentEncrypted } = await inSdkWords(keyring.seal(draft));
      const seen = await inSdkWords(api.conversations.update.mutate({ conversationId, title: contentEncrypted }));
      store.apply({ type: 'conversations', conversations: await openConversations(context, [seen]) });
      return;
    } catch (error) {
      const isStale = isReason(error, 'epoch_stale', 'revision_stale', 'rekey_required', 'contact_changed');
      if (!isStale || attempts >= ATTEMPTS) throw error;
      if (isReason(error, 'rekey_required')) await rotate(context, conversationId, 'rekey_required');
      // Of somebody who has left; for one who is still here, it is refused as well.
      if (isReason(error, 'contact_changed')) await rotate(context, conversationId);
      await keyring.sync(conversationId);
      await refreshConversations(context, [conversationId]);
    }
  }
}
