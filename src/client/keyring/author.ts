/** Owns the epochs I write: beginnings, additions, removals, roles, rotations. */
import { authorEpoch, type EpochDraft, importKemPublicKey, sealGrant } from '#crypto/index';
import {
  bytesEqual,
  type EpochOp,
  type EpochState,
  type Member,
  type MemberRole,
  ROLE_ADMIN,
  ROLE_MEMBER,
  toBase64,
} from '#crypto/verify';
import { must } from '#lib/must';
import type { Epoch, Grant } from '#protocol/keys';
import type { Me } from './accounts.ts';
import { ConversationKeys } from './conversation-keys.ts';
import type { EpochLog } from './epoch-log.ts';
import { KeyringError } from './error.ts';
import type { Identities, KnownIdentity } from './identities.ts';

interface Parts {
  /** Told how many wraps are made. */
  onWrapped: (conversationId: string, done: number, total: number) => void;
  log: EpochLog;
  identities: Identities;
  me: () => Me;
}

export interface Beginning {
  conversationId: string;
  direct: boolean;
  /** Without me. */
  memberIds: string[];
  createdMs: number;
}

export interface Change {
  conversationId: string;
  createdMs: number;
  /** Whoever is in no more according to the server; they are rotated out with whatever else is done. */
  participantIds: string[];
  /** Whether the server says that somebody left or has new keys. */
  rekey: boolean;
  /** With `history` the newcomer is given every older key that I have. */
  add?: { userId: string; role: MemberRole; history?: boolean };
  remove?: string;
  role?: { userId: string; role: MemberRole };
}

export class Author {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** With the keys of what is about to begin, to seal its title. */
  async begin(beginning: Beginning): Promise<{ epoch: Epoch; conversation: ConversationKeys }> {
    const { conversationId, direct, memberIds, createdMs } = beginning;
    const me = this.#parts.me();
    const everyone = [me.userId, ...memberIds.filter((userId) => userId !== me.userId)];
    const people = await this.#parts.identities.current(everyone);
    await this.#parts.identities.refuseChanged(people);
    const ops = everyone.map((userId): EpochOp => {
      const role = userId === me.userId && !direct ? ROLE_ADMIN : ROLE_MEMBER;
      return { op: 'add', member: memberOf(must(people.get(userId), 'asked for'), role) };
    });
    const draft: EpochDraft = { conversationId, kind: 'create', direct, anyoneAdds: false, createdMs, ops };
    const { epoch, state, key } = await this.#write(draft);
    const conversation = new ConversationKeys(me.userId);
    conversation.push(state, epoch.record, 0);
    await conversation.accept(0, key);
    return { epoch, conversation };
  }

  /** Always from the newest epoch the server has. A ratchet where it suffices, a rotation where somebody goes or keys changed. */
  async change(change: Change): Promise<{ epoch: Epoch; grant: Grant | null }> {
    const { log, me } = this.#parts;
    const conversation = await log.sync(change.conversationId);
    const previous = conversation.head;
    if (!previous?.members.has(me().userId)) throw new KeyringError('NOT_A_MEMBER');
    const removes = goneFrom(previous, change);
    const rotates = removes.length > 0 || change.rekey || !(change.add || change.role) || !conversation.headKey;
    const rekeys = rotates ? await this.#rekeys(previous, removes) : [];
    const wanted = await this.#wanted(previous, change);
    const draft: EpochDraft = {
      conversationId: change.conversationId,
      kind: rotates ? 'rotate' : 'ratchet',
      direct: previous.record.direct,
      anyoneAdds: previous.record.anyoneAdds,
      createdMs: change.createdMs,
      ops: [...removes.map((userId): EpochOp => ({ op: 'remove', userId })), ...rekeys, ...wanted],
    };
    const { epoch, state } = await this.#write(draft, previous, conversation.headKey);
    const grant = change.add?.history ? await this.#grant(state, conversation, change.add.userId) : null;
    return { epoch, grant };
  }

  async #grant(state: EpochState, conversation: ConversationKeys, userId: string): Promise<Grant> {
    const { identities, me } = this.#parts;
    const { conversationId } = state.record;
    const { gen } = must(state.members.get(userId), 'just added');
    const { record } = await identities.get(userId, gen);
    const recipient = await importKemPublicKey(record.kemPub);
    const place = { conversationId, head: state.hash, fromUserId: me().userId, userId, gen };
    return { userId, gen, sealed: toBase64(await sealGrant(recipient, place, conversation.roots())) };
  }

  /** A rotation vouches for everybody's keys, so it brings them up to date. */
  async #rekeys(previous: EpochState, removes: readonly string[]): Promise<EpochOp[]> {
    const staying = [...previous.members.values()].filter(({ userId }) => !removes.includes(userId));
    const people = await this.#parts.identities.current(staying.map(({ userId }) => userId));
    await this.#parts.identities.refuseChanged(people);
    return staying.flatMap((member): EpochOp[] => {
      const identity = must(people.get(member.userId), 'asked for');
      if (bytesEqual(identity.fingerprint, member.fingerprint)) return [];
      return [{ op: 'rekey', member: memberOf(identity, member.role) }];
    });
  }

  async #wanted(previous: EpochState, { add, role }: Change): Promise<EpochOp[]> {
    const ops: EpochOp[] = [];
    if (add) {
      const people = await this.#parts.identities.current([add.userId]);
      await this.#parts.identities.refuseChanged(people);
      ops.push({ op: 'add', member: memberOf(must(people.get(add.userId), 'asked for'), add.role) });
    }
    if (role) {
      const member = previous.members.get(role.userId);
      if (!member) throw new KeyringError('NOT_A_MEMBER');
      ops.push({ op: 'role', member: { ...member, role: role.role } });
    }
    return ops;
  }

  async #write(draft: EpochDraft, previous?: EpochState, previousKey?: Uint8Array) {
    const { identities } = this.#parts;
    const me = this.#parts.me();
    const kemPub = async ({ userId, gen }: Member) => (await identities.get(userId, gen)).record.kemPub;
    const onProgress = (done: number, total: number) => this.#parts.onWrapped(draft.conversationId, done, total);
    const context = { previous, previousKey, kemPub, onProgress };
    const { record, sig, wraps, key, state } = await authorEpoch(draft, me, context);
    const epoch: Epoch = {
      record: toBase64(record),
      sig: toBase64(sig),
      wraps: wraps.map(({ userId, gen, wrapped }) => ({ userId, gen, wrapped: toBase64(wrapped) })),
    };
    return { epoch, state, key };
  }
}

const memberOf = ({ record, fingerprint }: KnownIdentity, role: MemberRole): Member => ({
  userId: record.userId,
  role,
  gen: record.gen,
  fingerprint,
});

function goneFrom(previous: EpochState, { participantIds, remove }: Change): string[] {
  const staying = new Set(participantIds);
  return [...previous.members.keys()].filter((userId) => userId === remove || !staying.has(userId));
}
