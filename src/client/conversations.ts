/** Owns what one does with conversations: begin, name, archive, and change who is in. */
import { uuidv7 } from 'uuidv7';
import type { ConversationSeen } from '#protocol/conversation';
import type { Role } from '#protocol/participant';
import type { Context } from './context.ts';
import { conversationOf, meOf } from './context.ts';
import { changeEpoch, setTitle } from './epochs.ts';
import { inSdkWords, isReason, SdkError } from './errors.ts';
import { openConversations } from './opening.ts';
import { pictureOf } from './picture.ts';
import type { AboutGroup, ChangeLine } from './types.ts';
import type { MemberRole } from '#crypto/verify';

/** More than one page of a long list at a time: the first one repeats what is known. */
const PAGE = 100;

export class Conversations {
  readonly #context: Context;
  #cursor: string | null = null;

  constructor(context: Context) {
    this.#context = context;
  }

  async createDirect(userId: string): Promise<string> {
    const { api, keyring, store } = this.#context;
    const known = Object.values(store.state.conversations).find(
      ({ type, participants }) => type === 'direct' && participants.some(({ user }) => user.id === userId),
    );
    if (known && userId !== meOf(this.#context)) return known.id;
    const id = uuidv7();
    const beginning = { conversationId: id, direct: true, memberIds: [userId], createdMs: Date.now() };
    const { epoch } = await inSdkWords(keyring.begin(beginning));
    return this.#take(await inSdkWords(api.conversations.createDirect.mutate({ id, userId, epoch })));
  }

  async createGroup(title: string, participantIds: string[]): Promise<string> {
    const { api, keyring } = this.#context;
    const id = uuidv7();
    const beginning = { conversationId: id, direct: false, memberIds: participantIds, createdMs: Date.now(), title };
    const begun = await inSdkWords(keyring.begin(beginning));
    const request = { id, participantIds, title: begun.title ?? '', epoch: begun.epoch };
    return this.#take(await inSdkWords(api.conversations.createGroup.mutate(request)));
  }

  async update(conversationId: string, change: AboutGroup): Promise<void> {
    if (change.avatar && pictureOf(change.avatar) === null) throw new SdkError('BAD_REQUEST', 'bad_picture');
    await setTitle(this.#context, conversationId, change);
  }

  async archive(conversationId: string): Promise<void> {
    const { api } = this.#context;
    await this.#take(await inSdkWords(api.conversations.archive.mutate({ conversationId })));
  }

  async mute(conversationId: string, until: string | null): Promise<void> {
    const { api } = this.#context;
    await this.#take(await inSdkWords(api.conversations.mute.mutate({ conversationId, until })));
  }

  async addParticipant(
    conversationId: string,
    userId: string,
    role: Role = 'member',
    { history = false }: { history?: boolean } = {},
  ): Promise<void> {
    const { api } = this.#context;
    const add = { userId, role: SIGNED_ROLES[role], history };
    await changeEpoch(this.#context, conversationId, { add }, (epoch, grant) =>
      api.conversations.addParticipant.mutate({ conversationId, userId, role, epoch, grant }),
    );
  }

  async removeParticipant(conversationId: string, userId: string): Promise<void> {
    const { api, store } = this.#context;
    if (userId === meOf(this.#context)) {
      // Who leaves must not choose the next key: whoever sends next does.
      const { version } = conversationOf(this.#context, conversationId);
      await inSdkWords(api.conversations.removeParticipant.mutate({ conversationId, userId }));
      store.apply({ type: 'participant', conversationId, userId, participant: null, version: version + 1 });
      return;
    }
    await changeEpoch(this.#context, conversationId, { remove: userId }, (epoch) =>
      api.conversations.removeParticipant.mutate({ conversationId, userId, epoch }),
    );
  }

  async setRole(conversationId: string, userId: string, role: Role): Promise<void> {
    const { api } = this.#context;
    await changeEpoch(this.#context, conversationId, { role: { userId, role: SIGNED_ROLES[role] } }, (epoch) =>
      api.conversations.setRole.mutate({ conversationId, userId, role, epoch }),
    );
  }

  async changes(conversationId: string): Promise<ChangeLine[]> {
    const { keyEpoch, naming, title } = conversationOf(this.#context, conversationId);
    const lines = await inSdkWords(this.#context.keyring.changes(conversationId, keyEpoch));
    if (!naming || title === null) return lines;
    const { by, at, seq } = naming;
    // No record's line has this number.
    const named = { epoch: -1, seq, at, authorId: by, changes: [{ kind: 'named' as const, userId: by, title }] };
    const before = lines.filter((line) => line.seq < seq || (line.seq === seq && line.at <= at));
    return [...before, named, ...lines.slice(before.length)];
  }

  async loadMore(): Promise<void> {
    const { api, store } = this.#context;
    if (!store.state.hasMoreConversations) return;
    const page = await inSdkWords(async () => {
      try {
        return await api.conversations.list.query({ limit: PAGE, cursor: this.#cursor });
      } catch (error) {
        if (!isReason(error, 'bad_cursor')) throw error;
        return api.conversations.list.query({ limit: PAGE });
      }
    });
    this.#cursor = page.nextCursor;
    const conversations = await openConversations(this.#context, page.conversations);
    store.apply({ type: 'conversations', conversations, hasMore: page.nextCursor !== null });
  }

  async #take(seen: ConversationSeen): Promise<string> {
    const conversations = await openConversations(this.#context, [seen]);
    this.#context.store.apply({ type: 'conversations', conversations });
    return seen.id;
  }
}

/** As in epoch records. */
const SIGNED_ROLES: Record<Role, MemberRole> = { member: 0, moderator: 1, admin: 2 };
