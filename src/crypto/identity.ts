/** Owns the public identity of a person: the signed record of both public keys, and the chain of its generations. */
import { primitives } from '#crypto/primitives';
import { bytesEqual, type Bytes } from './bytes.ts';
import { CryptoError } from './error.ts';
import { verifySignature } from './signature.ts';
import { Reader, Writer } from './wire.ts';

export const SIGNING_KEY_BYTES = 32;
export const KEM_KEY_BYTES = 1216;
const HASH_BYTES = 32;

const KINDS = ['first', 'rotate', 'reset'] as const;
/** `rotate` is signed by the key it replaces; `reset` is not (everything was lost) and costs the trust that was there. */
export type IdentityKind = (typeof KINDS)[number];

export interface IdentityRecord {
  userId: string;
  /** 0, 1, 2 ...: the generation of the key pair. */
  gen: number;
  createdMs: number;
  kind: IdentityKind;
  sigPub: Bytes;
  kemPub: Bytes;
  /** SHA-256 of the record before, zeros in the first. */
  prevHash: Bytes;
}

export interface SignedIdentity {
  record: Uint8Array;
  /** Ed25519 by the key of the record itself. */
  selfSig: Uint8Array;
  /** Ed25519 by the key before, exactly when the kind is `rotate`; otherwise empty or absent. */
  prevSig?: Uint8Array | null | undefined;
}

export function encodeIdentity(identity: IdentityRecord): Bytes {
  return new Writer()
    .label('identity')
    .id(identity.userId)
    .u32(identity.gen)
    .u64(identity.createdMs)
    .u8(KINDS.indexOf(identity.kind))
    .fixed(identity.sigPub, SIGNING_KEY_BYTES)
    .fixed(identity.kemPub, KEM_KEY_BYTES)
    .fixed(identity.prevHash, HASH_BYTES)
    .end();
}

export function decodeIdentity(record: Uint8Array): IdentityRecord {
  const reader = new Reader(record);
  reader.label('identity');
  const userId = reader.id();
  const gen = reader.u32();
  const createdMs = reader.u64();
  const kind = KINDS[reader.u8()];
  if (kind === undefined) throw new CryptoError('BAD_FORMAT', 'identity kind');
  const sigPub = reader.fixed(SIGNING_KEY_BYTES);
  const kemPub = reader.fixed(KEM_KEY_BYTES);
  const prevHash = reader.fixed(HASH_BYTES);
  reader.end();
  return { userId, gen, createdMs, kind, sigPub, kemPub, prevHash };
}

/** What pins, epoch records and safety numbers refer to: the person with both keys, whatever the generation. */
export async function fingerprint(identity: Pick<IdentityRecord, 'userId' | 'sigPub' | 'kemPub'>): Promise<Bytes> {
  const input = new Writer()
    .label('fp')
    .id(identity.userId)
    .fixed(identity.sigPub, SIGNING_KEY_BYTES)
    .fixed(identity.kemPub, KEM_KEY_BYTES)
    .end();
  return primitives.sha256(input);
}

/**
 * Checks one link of a person's chain. Without `previous` the record has to be the first (generation 0); with it, the
 * next generation of the same person, naming the record before by its hash. Throws BAD_IDENTITY or BAD_FORMAT.
 */
export async function verifyIdentity(signed: SignedIdentity, previous?: SignedIdentity): Promise<IdentityRecord> {
  const identity = decodeIdentity(signed.record);
  if (!(await verifySignature(identity.sigPub, signed.selfSig, signed.record))) refuse('self signature');
  if (!previous) {
    if (identity.kind !== 'first' || identity.gen !== 0) refuse('not the first');
    if (identity.prevHash.some((byte) => byte !== 0)) refuse('first with a past');
    return identity;
  }
  const before = decodeIdentity(previous.record);
  if (identity.kind === 'first' || identity.userId !== before.userId || identity.gen !== before.gen + 1)
    refuse('chain');
  if (!bytesEqual(await primitives.sha256(previous.record), identity.prevHash)) refuse('previous hash');
  if (identity.kind === 'rotate') {
    const signature = signed.prevSig ?? new Uint8Array(0);
    if (!(await verifySignature(before.sigPub, signature, signed.record))) refuse('previous signature');
  }
  return identity;
}

function refuse(why: string): never {
  throw new CryptoError('BAD_IDENTITY', why);
}
