/** People with real keys who speak the contract: they author epochs and seal envelopes themselves, without the SDK. */
import { uuidv7 } from 'uuidv7';
import { messageKey, type Payload, reactionKey, reactionTag, sealEnvelope } from '#crypto/index';
import { type EnvelopeHeader, type EpochOp, type EpochState, type MemberRole, NIL_ID, toBase64 } from '#crypto/verify';
import type { Epoch } from '#protocol/keys';
import { type AuthoredEpoch, authorEpoch } from '../../src/crypto/author-epoch.ts';
import { add, asMember, newPerson, type Person as Keys } from '../crypto/people.ts';
import { newProgram, type Program } from './program.ts';
import type { TestServer } from './server.ts';

export interface Person extends Keys, Program {
  readonly username: string;
  readonly sessionId: string;
}

/** What it takes to make somebody: a server's address, its database and its token keys. */
export interface Home {
  readonly url: string;
  readonly wsUrl: string;
  readonly db: Pick<TestServer['db'], 'sql'>;
  readonly deps: Pick<TestServer['deps'], 'tokens'>;
}

/** Puts an account with keys into the database (registration has tests of its own) and signs it in. */
export async function newUser(server: Home, name = 'person'): Promise<Person> {
  const keys = await newPerson({ userId: uuidv7() });
  const sessionId = uuidv7();
  const username = `${name}-${keys.userId.slice(-8)}`;
  const { sql } = server.db;
  await sql`insert into users (id, username, email, password_hash, display_name, kdf)
    values (${keys.userId}, ${username}, ${`${username}@example.org`}, 'none', ${name}, '{}')`;
  await sql`insert into user_identities (user_id, gen, record, self_sig, fingerprint, kind)
    values (${keys.userId}, 0, ${Buffer.from(keys.signed.record)}, ${Buffer.from(keys.signed.selfSig)}, ${Buffer.from(keys.fingerprint)}, 0)`;
  await sql`insert into sessions (id, user_id, kind, expires_at) values (${sessionId}, ${keys.userId}, 'token', now() + interval '1 day')`;
  const { token } = await server.deps.tokens.sign(keys.userId, sessionId);
  return Object.assign(newProgram(server, { token }), keys, { username, sessionId });
}

/** The keys of a conversation as one knows them who made it. */
export interface Room {
  readonly id: string;
  epoch: AuthoredEpoch;
  people: Person[];
}

const wire = (epoch: AuthoredEpoch): Epoch => ({
  record: toBase64(epoch.record),
  sig: toBase64(epoch.sig),
  wraps: epoch.wraps.map(({ userId, gen, wrapped }) => ({ userId, gen, wrapped: toBase64(wrapped) })),
});

type Draft = { kind: 'create' | 'rotate' | 'ratchet'; ops: EpochOp[]; direct?: boolean; id?: string };

/** The next epoch of a room (or its first), authored by `author`; nothing is sent. */
export async function draftEpoch(author: Person, people: Person[], draft: Draft, room?: Room) {
  const kem = new Map(people.map((person) => [person.userId, person.identity.kemPub]));
  const previous: EpochState | undefined = room?.epoch.state;
  const authored = await authorEpoch(
    {
      conversationId: room?.id ?? draft.id ?? uuidv7(),
      direct: draft.direct ?? previous?.record.direct ?? false,
      anyoneAdds: false,
      createdMs: Date.now(),
      kind: draft.kind,
      ops: draft.ops,
    },
    { userId: author.userId, gen: author.identity.gen, sigPub: author.keys.sigPub, signer: author.keys.signer },
    { previous, previousKey: room?.epoch.key, kemPub: async (m) => kem.get(m.userId) ?? new Uint8Array(0) },
  );
  return { authored, epoch: wire(authored) };
}

export async function newDirect(a: Person, b: Person): Promise<Room> {
  const { authored, epoch } = await draftEpoch(a, [a, b], { kind: 'create', direct: true, ops: [add(a), add(b)] });
  const id = authored.state.record.conversationId;
  await a.api.conversations.createDirect.mutate({ id, userId: b.userId, epoch });
  return { id, epoch: authored, people: [a, b] };
}

export async function newGroup(creator: Person, others: Person[], title = 'Plans'): Promise<Room> {
  const people = [creator, ...others];
  const ops = [add(creator, 2), ...others.map((person) => add(person))];
  const { authored, epoch } = await draftEpoch(creator, people, { kind: 'create', ops });
  const room = { id: authored.state.record.conversationId, epoch: authored, people };
  await creator.api.conversations.createGroup.mutate({
    id: room.id,
    title: await sealTitle(creator, room, title, 0),
    participantIds: others.map(({ userId }) => userId),
    epoch,
  });
  return room;
}

export async function seal(
  sender: Person,
  room: Room,
  payload: Payload,
  change: Partial<EnvelopeHeader> = {},
): Promise<string> {
  const { state, key } = room.epoch;
  const header: EnvelopeHeader = {
    type: 'message',
    conversationId: room.id,
    messageId: uuidv7(),
    revision: 0,
    epoch: state.record.epoch,
    epochHash: state.hash,
    senderId: sender.userId,
    senderGen: sender.identity.gen,
    targetId: NIL_ID,
    prevSeq: 0,
    prevHash: new Uint8Array(32),
    createdMs: Date.now(),
    aux: new Uint8Array(32),
    ...change,
  };
  return toBase64(
    await sealEnvelope(header, { messageKey: await messageKey(key), signer: sender.keys.signer }, payload),
  );
}

export const sealTitle = (sender: Person, room: Room, title: string, revision: number) =>
  seal(sender, room, { title }, { type: 'meta', messageId: room.id, revision });

/** The input of `messages.send`, so that tests can send it twice or spoil it. */
export async function draft(sender: Person, room: Room, body: string, id = uuidv7()) {
  return {
    id,
    conversationId: room.id,
    contentEncrypted: await seal(sender, room, { t: 'text', body }, { messageId: id }),
    keyEpoch: room.epoch.state.record.epoch,
  };
}

export const send = async (sender: Person, room: Room, body: string) =>
  sender.api.messages.send.mutate(await draft(sender, room, body));

export async function edit(sender: Person, room: Room, messageId: string, body: string, revision = 1) {
  return sender.api.messages.edit.mutate({
    messageId,
    keyEpoch: room.epoch.state.record.epoch,
    contentEncrypted: await seal(sender, room, { t: 'text', body }, { type: 'edit', messageId, revision }),
  });
}

export async function remove(sender: Person, room: Room, messageId: string, revision = 1) {
  const contentEncrypted = await seal(sender, room, {}, { type: 'delete', messageId, revision });
  return sender.api.messages.delete.mutate({ messageId, contentEncrypted });
}

export async function draftReaction(sender: Person, room: Room, messageId: string, emoji: string) {
  const id = uuidv7();
  const aux = await reactionTag(
    await reactionKey(room.epoch.key),
    { conversationId: room.id, targetId: messageId },
    emoji,
  );
  const contentEncrypted = await seal(
    sender,
    room,
    { emoji },
    { type: 'reaction', messageId: id, targetId: messageId, aux },
  );
  return { messageId, id, tag: toBase64(aux), contentEncrypted };
}

export const react = async (sender: Person, room: Room, messageId: string, emoji: string) =>
  sender.api.messages.react.mutate(await draftReaction(sender, room, messageId, emoji));

export const op = {
  add: (person: Person, role: MemberRole = 0) => add(person, role),
  role: (person: Person, role: MemberRole): EpochOp => ({ op: 'role', member: asMember(person, role) }),
  remove: (person: Person): EpochOp => ({ op: 'remove', userId: person.userId }),
};
