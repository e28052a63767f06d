/** People, their public identities, and what they keep sealed on the server. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { bytea, time } from './columns.ts';

export const users = pgTable(
  'users',
  {
    /** Made by the client: the identity record names it. */
    id: uuid('id').primaryKey(),
    username: text('username').notNull(),
    email: text('email').notNull(),
    /** bcrypt over HMAC(pepper, authSecret); the password itself never arrives here. */
    passwordHash: text('password_hash').notNull(),
    displayName: text('display_name').notNull(),
    avatarUrl: text('avatar_url'),
    /** Parameters of the client's password stretching. */
    kdf: jsonb('kdf').notNull().$type<{ alg: 'argon2id'; m: number; t: number; p: number; salt: string }>(),
    /** Generation of the current identity, see user_identities. */
    identityGen: integer('identity_gen').notNull().default(0),
    lastSeenAt: time('last_seen_at'),
    /** What others may see of me; who hides something does not see it of others either. */
    sharesReceipts: boolean('shares_receipts').notNull().default(true),
    sharesPresence: boolean('shares_presence').notNull().default(true),
    sharesTyping: boolean('shares_typing').notNull().default(true),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex('users_username_uq').on(sql`lower(${t.username})`),
    uniqueIndex('users_email_uq').on(sql`lower(${t.email})`),
  ],
);

/** Append only: one row per generation, each signed by itself and, unless it is a reset, by the one before. */
export const userIdentities = pgTable(
  'user_identities',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    gen: integer('gen').notNull(),
    record: bytea('record').notNull(),
    selfSig: bytea('self_sig').notNull(),
    prevSig: bytea('prev_sig'),
    fingerprint: bytea('fingerprint').notNull(),
    /** 0 first, 1 rotated, 2 reset. */
    kind: smallint('kind').notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ name: 'user_identities_pk', columns: [t.userId, t.gen] })],
);

/**
 * Every public identity ever taken, in one order for everybody: `hash` = SHA-256(hash before | u64 index | SHA-256(record)),
 * 32 zeros before index 1. Append only; it outlives the accounts in it. (Key transparency, docs/crypto.md.)
 */
export const identityLog = pgTable(
  'identity_log',
  {
    index: bigint('index', { mode: 'number' }).primaryKey(),
    userId: uuid('user_id').notNull(),
    gen: integer('gen').notNull(),
    recordHash: bytea('record_hash').notNull(),
    hash: bytea('hash').notNull(),
  },
  (t) => [uniqueIndex('identity_log_user_key').on(t.userId, t.gen)],
);

/** What proves to be the owner of the account's mailbox: sent by mail, or handed out by the operator. One of each purpose. */
export const accountCodes = pgTable(
  'account_codes',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    purpose: text('purpose', { enum: ['recover', 'unlock', 'reset'] }).notNull(),
    /** HMAC of the code under the pepper. */
    hash: bytea('hash').notNull(),
    attempts: integer('attempts').notNull().default(0),
    expiresAt: time('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ name: 'account_codes_pk', columns: [t.userId, t.purpose] }),
    check('account_codes_purpose_ck', sql`${t.purpose} in ('recover', 'unlock', 'reset')`),
  ],
);

/** The account's master key, wrapped by the password or by the recovery key, and encrypted at rest on top. */
export const accountKeyWraps = pgTable(
  'account_key_wraps',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    kind: text('kind', { enum: ['password', 'recovery'] }).notNull(),
    wrapped: bytea('wrapped').notNull(),
    /** SHA-256 of the secret that the recovery key proves; null for the password. */
    verifier: bytea('verifier'),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'account_key_wraps_pk', columns: [t.userId, t.kind] }),
    check('account_key_wraps_kind_ck', sql`${t.kind} in ('password', 'recovery')`),
  ],
);

/** Sealed by the client under the master key; `version` is compared and set. */
export const accountBlobs = pgTable(
  'account_blobs',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    name: text('name', { enum: ['keyring', 'settings'] }).notNull(),
    version: integer('version').notNull(),
    data: bytea('data').notNull(),
  },
  (t) => [
    primaryKey({ name: 'account_blobs_pk', columns: [t.userId, t.name] }),
    check('account_blobs_name_ck', sql`${t.name} in ('keyring', 'settings')`),
  ],
);
