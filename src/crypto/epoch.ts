/** Owns the bytes of an epoch record: who is in a conversation from this epoch on, and which key it commits to. */
import { primitives } from '#crypto/primitives';
import type { Bytes } from './bytes.ts';
import { CryptoError } from './error.ts';
import { Reader, Writer } from './wire.ts';

const HASH_BYTES = 32;
export const MAX_MEMBERS = 1_000;
/** A rotation may replace a full group: everyone out, as many in. */
const MAX_OPS = 2 * MAX_MEMBERS;

const KINDS = ['create', 'rotate', 'ratchet'] as const;
/** `rotate` brings a fresh key wrapped for everyone; `ratchet` a key that members derive and only newcomers are sent. */
export type EpochKind = (typeof KINDS)[number];

const OPS = ['add', 'rekey', 'role', 'remove'] as const;
const FLAG_DIRECT = 1;
const FLAG_ANYONE_ADDS = 2;

export const ROLE_MEMBER = 0;
export const ROLE_MODERATOR = 1;
export const ROLE_ADMIN = 2;
export type MemberRole = 0 | 1 | 2;

export interface Member {
  userId: string;
  role: MemberRole;
  /** Generation of the member's identity, and the fingerprint of its keys. */
  gen: number;
  fingerprint: Bytes;
}

export type EpochOp = { op: 'add' | 'rekey' | 'role'; member: Member } | { op: 'remove'; userId: string };

export interface EpochRecord {
  conversationId: string;
  epoch: number;
  kind: EpochKind;
  direct: boolean;
  anyoneAdds: boolean;
  createdMs: number;
  authorId: string;
  authorGen: number;
  /** SHA-256 of the record before, zeros at epoch 0. */
  prevHash: Bytes;
  ops: EpochOp[];
  /** Of the members after the ops. */
  membersHash: Bytes;
  keyCommit: Bytes;
}

export interface SignedEpoch {
  record: Uint8Array;
  sig: Uint8Array;
}

export function encodeEpoch(epoch: EpochRecord): Bytes {
  const writer = new Writer()
    .label('epoch')
    .id(epoch.conversationId)
    .u32(epoch.epoch)
    .u8(KINDS.indexOf(epoch.kind))
    .u8((epoch.direct ? FLAG_DIRECT : 0) | (epoch.anyoneAdds ? FLAG_ANYONE_ADDS : 0))
    .u64(epoch.createdMs)
    .id(epoch.authorId)
    .u32(epoch.authorGen)
    .fixed(epoch.prevHash, HASH_BYTES)
    .u32(epoch.ops.length);
  for (const op of epoch.ops) {
    writer.u8(OPS.indexOf(op.op));
    if (op.op === 'remove') writer.id(op.userId);
    else writeMember(writer, op.member);
  }
  return writer.fixed(epoch.membersHash, HASH_BYTES).fixed(epoch.keyCommit, HASH_BYTES).end();
}

export function decodeEpoch(record: Uint8Array): EpochRecord {
  const reader = new Reader(record);
  reader.label('epoch');
  const conversationId = reader.id();
  const epoch = reader.u32();
  const kind = KINDS[reader.u8()];
  const flags = reader.u8();
  if (kind === undefined || flags > (FLAG_DIRECT | FLAG_ANYONE_ADDS)) throw new CryptoError('BAD_FORMAT', 'epoch');
  const createdMs = reader.u64();
  const authorId = reader.id();
  const authorGen = reader.u32();
  const prevHash = reader.fixed(HASH_BYTES);
  const count = reader.u32();
  if (count > MAX_OPS) throw new CryptoError('BAD_FORMAT', 'too many ops');
  const ops = Array.from({ length: count }, () => readOp(reader));
  const membersHash = reader.fixed(HASH_BYTES);
  const keyCommit = reader.fixed(HASH_BYTES);
  reader.end();
  return {
    conversationId,
    epoch,
    kind,
    direct: (flags & FLAG_DIRECT) !== 0,
    anyoneAdds: (flags & FLAG_ANYONE_ADDS) !== 0,
    createdMs,
    authorId,
    authorGen,
    prevHash,
    ops,
    membersHash,
    keyCommit,
  };
}

/** Independent of the order in which people came: sorted by id. */
export async function hashMembers(members: Iterable<Member>): Promise<Bytes> {
  const writer = new Writer().label('members');
  const sorted = [...members].sort((a, b) => (a.userId < b.userId ? -1 : 1));
  for (const member of sorted) writeMember(writer, member);
  return primitives.sha256(writer.end());
}

function writeMember(writer: Writer, member: Member): void {
  writer.id(member.userId).u8(member.role).u32(member.gen).fixed(member.fingerprint, HASH_BYTES);
}

function readOp(reader: Reader): EpochOp {
  const op = OPS[reader.u8()];
  if (op === undefined) throw new CryptoError('BAD_FORMAT', 'unknown op');
  const userId = reader.id();
  if (op === 'remove') return { op, userId };
  const role = reader.u8();
  if (role !== ROLE_MEMBER && role !== ROLE_MODERATOR && role !== ROLE_ADMIN) {
    throw new CryptoError('BAD_FORMAT', 'unknown role');
  }
  return { op, member: { userId, role, gen: reader.u32(), fingerprint: reader.fixed(HASH_BYTES) } };
}
