/**
 * The law of membership: a pure function from the state of a conversation and a signed record to the next state.
 * The server and every client run this same code, so they cannot disagree about who is in.
 */
import { primitives } from '#crypto/primitives';
import { bytesEqual, type Bytes } from './bytes.ts';
import {
  decodeEpoch,
  type EpochKind,
  type EpochOp,
  type EpochRecord,
  hashMembers,
  MAX_MEMBERS,
  type Member,
  ROLE_ADMIN,
  ROLE_MEMBER,
  ROLE_MODERATOR,
  type SignedEpoch,
} from './epoch.ts';
import { CryptoError } from './error.ts';
import { verifySignature } from './signature.ts';

export interface EpochState {
  record: EpochRecord;
  /** SHA-256 of the record: what the next record and every envelope of this epoch name. */
  hash: Bytes;
  members: ReadonlyMap<string, Member>;
}

/** Gives the Ed25519 key of that person and generation, and throws when it has another fingerprint. */
export type AuthorKey = (userId: string, gen: number, fingerprint: Uint8Array) => Promise<Uint8Array>;

const ZEROS = new Uint8Array(32);
const DIRECT_SIZE = 2;

/** What each kind of record may do to the list of members. */
const ALLOWED: Record<EpochKind, ReadonlySet<EpochOp['op']>> = {
  create: new Set(['add']),
  rotate: new Set(['add', 'rekey', 'role', 'remove']),
  ratchet: new Set(['add', 'role']),
};

/** Throws BAD_FORMAT for bytes that are no record, BAD_EPOCH for a record that is not allowed here, BAD_SIGNATURE for one its author did not sign. */
export async function applyEpoch(
  previous: EpochState | undefined,
  signed: SignedEpoch,
  authorKey: AuthorKey,
): Promise<EpochState> {
  const record = decodeEpoch(signed.record);
  if (previous) checkSuccession(previous, record);
  else checkBeginning(record);

  const members = new Map(previous?.members);
  const author = previous ? previous.members.get(record.authorId) : creatorOf(record);
  if (!author) refuse('author is not a member');
  for (const op of record.ops) apply(members, op, { record, previous, author });
  checkResult(record, members);

  // The author signs with the keys he has in this epoch: his own rekey op counts.
  const signer = members.get(record.authorId);
  if (!signer) refuse('author leaves with the key of those who stay');
  if (record.authorGen !== signer.gen) refuse('author generation');
  const key = await authorKey(record.authorId, record.authorGen, signer.fingerprint);
  if (!(await verifySignature(key, signed.sig, signed.record))) throw new CryptoError('BAD_SIGNATURE');
  if (!bytesEqual(await hashMembers(members.values()), record.membersHash)) refuse('members hash');
  return { record, hash: await primitives.sha256(signed.record), members };
}

/** Exactly who has to be sent this epoch's key: everyone, or in a ratchet the newcomers. */
export function wrapRecipients(state: EpochState): Member[] {
  if (state.record.kind !== 'ratchet') return [...state.members.values()];
  const added = new Set(state.record.ops.flatMap((op) => (op.op === 'add' ? [op.member.userId] : [])));
  return [...state.members.values()].filter((member) => added.has(member.userId));
}

function checkBeginning(record: EpochRecord): void {
  if (record.epoch !== 0 || record.kind !== 'create' || !bytesEqual(record.prevHash, ZEROS)) refuse('not a beginning');
  if (creatorOf(record)?.role !== (record.direct ? ROLE_MEMBER : ROLE_ADMIN)) refuse('creator');
}

function checkSuccession(previous: EpochState, record: EpochRecord): void {
  if (record.conversationId !== previous.record.conversationId) refuse('conversation');
  if (record.epoch !== previous.record.epoch + 1 || record.kind === 'create') refuse('number');
  if (!bytesEqual(record.prevHash, previous.hash)) refuse('previous hash');
  if (record.direct !== previous.record.direct) refuse('direct is for ever');
  const role = previous.members.get(record.authorId)?.role ?? ROLE_MEMBER;
  if (record.anyoneAdds !== previous.record.anyoneAdds && role < ROLE_MODERATOR) refuse('policy');
}

interface Situation {
  record: EpochRecord;
  previous: EpochState | undefined;
  author: Member;
}

function apply(members: Map<string, Member>, op: EpochOp, situation: Situation): void {
  const { record, previous, author } = situation;
  if (!ALLOWED[record.kind].has(op.op)) refuse(`${op.op} in ${record.kind}`);
  if (previous && record.direct && op.op !== 'rekey') refuse(`${op.op} in a direct conversation`);
  if (op.op === 'remove') {
    // Anyone may author it: whoever sends next rotates out those who left. The server has its own policy on top.
    if (!members.delete(op.userId)) refuse('remove of nobody');
    return;
  }
  const { member } = op;
  const present = members.get(member.userId);
  switch (op.op) {
    case 'add':
      if (present) refuse('added twice');
      if (previous) checkMayAdd(member, author, previous.record.anyoneAdds);
      break;
    case 'rekey':
      if (!present || member.role !== present.role || member.gen <= present.gen) refuse('rekey');
      break;
    case 'role':
      if (author.role !== ROLE_ADMIN) refuse('role by no admin');
      if (!present || member.gen !== present.gen) refuse('role');
      if (!bytesEqual(member.fingerprint, present.fingerprint)) refuse('role with other keys');
      break;
  }
  members.set(member.userId, member);
}

function checkMayAdd(added: Member, author: Member, anyoneAdds: boolean): void {
  if (author.role < ROLE_MODERATOR && !anyoneAdds) refuse('add not allowed');
  if (added.role !== ROLE_MEMBER && author.role !== ROLE_ADMIN) refuse('added above the author');
}

function checkResult(record: EpochRecord, members: ReadonlyMap<string, Member>): void {
  if (members.size < 1 || members.size > MAX_MEMBERS) refuse('size');
  if (!record.direct) return;
  if (members.size !== DIRECT_SIZE) refuse('direct is two people');
  for (const member of members.values()) if (member.role !== ROLE_MEMBER) refuse('role in a direct conversation');
}

function creatorOf(record: EpochRecord): Member | undefined {
  for (const op of record.ops) if (op.op === 'add' && op.member.userId === record.authorId) return op.member;
  return undefined;
}

function refuse(why: string): never {
  throw new CryptoError('BAD_EPOCH', why);
}
