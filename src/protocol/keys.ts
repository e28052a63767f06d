/** Keys in their public or sealed form: identities, epochs, wraps, grants, account blobs. Formats: docs/crypto.md. */
import { z } from 'zod';
import { base64, base64Of } from './bytes.ts';
import { Counter, Id } from './ids.ts';
import { LIMITS } from './limits.ts';

export const SIGNATURE_BYTES = 64;
/** HPKE encapsulation (1,120) and the sealed 32-byte key with its tag (48). */
export const WRAP_BYTES = 1_168;

export const SignedIdentity = z.object({
  record: base64(4_000),
  selfSig: base64Of(SIGNATURE_BYTES),
  /** Signature by the previous key; null unless this record continues a chain. */
  prevSig: base64Of(SIGNATURE_BYTES)
    .nullish()
    .transform((sig) => sig ?? null),
});
export const IdentityOfUser = z.object({
  userId: Id,
  gen: z.int(),
  record: z.string(),
  selfSig: z.string(),
  prevSig: z.string().nullable(),
});
export type IdentityOfUser = z.infer<typeof IdentityOfUser>;

/** Parameters of the client's password stretching (RFC 9106); the floor is checked on both sides. */
export const Kdf = z.object({
  alg: z.literal('argon2id'),
  /** KiB of memory. */
  m: z.int().min(65_536).max(1_048_576),
  t: z.int().min(3).max(16),
  p: z.int().min(1).max(16),
  salt: base64(128),
});
export type Kdf = z.infer<typeof Kdf>;

export const Wrap = z.object({ userId: Id, gen: Counter, wrapped: base64Of(WRAP_BYTES) });
export const Epoch = z.object({
  /** 1,000 members of 53 bytes each, and the head. */
  record: base64(120_000),
  sig: base64Of(SIGNATURE_BYTES),
  wraps: z.array(Wrap).max(LIMITS.participants),
});
export type Epoch = z.infer<typeof Epoch>;

export const Grant = z.object({ userId: Id, gen: Counter, sealed: base64(400_000) });
export type Grant = z.infer<typeof Grant>;

/** Why a client could not show a message (docs/crypto.md). What is not in the list is `OTHER`. */
export const UNREADABLE_REASONS = [
  'BAD_FORMAT',
  'BAD_VERSION',
  'ROW_MISMATCH',
  'WRONG_CONVERSATION',
  'EPOCH_MISMATCH',
  'BAD_EPOCH',
  'EPOCH_ROLLBACK',
  'EPOCH_FORK',
  'BAD_SIGNATURE',
  'NOT_A_MEMBER',
  'NO_IDENTITY',
  'BAD_IDENTITY',
  'PIN_MISMATCH',
  'FORGED_SENDER',
  'NOT_ALLOWED',
  'LATE_EPOCH',
  'REPLAY',
  'ROLLBACK',
  'EQUIVOCATION',
  'BEFORE_JOIN',
  'BEFORE_RESET',
  'NO_EPOCH_KEY',
  'BAD_WRAP',
  'BAD_GRANT',
  'KEY_COMMIT',
  'DECRYPT',
  'OTHER',
] as const;
export type UnreadableReason = (typeof UNREADABLE_REASONS)[number];
/** A reason and a number, and nothing about which messages, conversations or people. */
export const UnreadableReport = z.object({
  reason: z.enum(UNREADABLE_REASONS),
  count: z.int().min(1).max(1_000),
});

/** My own epoch keys of one conversation, sealed by my client for my client. */
export const OwnKeychain = z.object({
  conversationId: Id,
  /** The last epoch in it. */
  throughEpoch: z.int(),
  data: z.string(),
});
export type OwnKeychain = z.infer<typeof OwnKeychain>;
export const Keychain = z.object({
  conversationId: Id,
  throughEpoch: Counter,
  /** `throughEpoch` of the one it takes the place of; null: there is none. */
  replaces: Counter.nullable(),
  data: base64(LIMITS.keychain),
});
export type Keychain = z.infer<typeof Keychain>;
export const KeychainsInput = z.object({ conversationIds: z.array(Id).min(1).max(LIMITS.page) });

export const IdentitiesInput = z.object({
  userIds: z.array(Id).min(1).max(LIMITS.userIds),
  /** Generations that the caller has: people who have no newer one are left out. */
  known: z.record(Id, Counter).optional(),
});
export const EpochsInput = z.object({ conversationId: Id, after: z.int().min(-1).max(2_147_483_647).nullish() });
export const WrapsInput = z.object({
  conversationId: Id,
  from: Counter.nullish(),
  to: Counter.nullish(),
});
export const GrantsInput = z.object({ conversationId: Id });
export const RotateInput = z.object({ conversationId: Id, epoch: Epoch });
export const SettingsInput = z.object({ version: Counter.min(1), data: base64(LIMITS.accountSettings) });

export const LogInput = z.object({ after: Counter.nullish() }).nullish();
/** Of the log of all identities. */
export const LogPage = z.object({
  head: z.object({ index: z.int(), hash: z.string() }).nullable(),
  /** Hashes of the records after `after`, in order; none without it. */
  entries: z.array(z.string()),
  /** The caller's own entries, all of them. */
  mine: z.array(z.object({ index: z.int(), gen: z.int() })),
});
export type LogPage = z.infer<typeof LogPage>;
export const StoredSettings = z.object({ version: z.int(), data: z.string() });
export type StoredSettings = z.infer<typeof StoredSettings>;

export const EpochOfConversation = z.object({ epoch: z.int(), record: z.string(), sig: z.string(), seq: z.int() });
export type EpochOfConversation = z.infer<typeof EpochOfConversation>;
export const OwnWrap = z.object({ epoch: z.int(), gen: z.int(), wrapped: z.string() });
export type OwnWrap = z.infer<typeof OwnWrap>;
export const OwnGrant = z.object({ fromUserId: Id, gen: z.int(), head: z.string(), sealed: z.string() });
export type OwnGrant = z.infer<typeof OwnGrant>;
