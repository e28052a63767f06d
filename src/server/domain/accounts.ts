/** Making an account, proving to own it, and what its devices get back: their keys, sealed as they were handed in. */
import { and, desc, eq, or, sql } from 'drizzle-orm';
import type { z } from 'zod';
import {
  decodeIdentity,
  fingerprint,
  fromBase64,
  type IdentityKind,
  type IdentityRecord,
  type SignedIdentity,
  toBase64,
  verifyIdentity,
} from '#crypto/verify';
import { must } from '#lib/must';
import type { Account, Login, Register } from '#protocol/auth';
import { ParleyError, type Reason } from '#protocol/errors';
import type { Kdf } from '#protocol/keys';
import type { Me, Privacy } from '#protocol/user';
import { keyringPlace, wrapPlace } from '../auth/at-rest.ts';
import type { Db, Tx } from '../db/client.ts';
import { accountBlobs, accountKeyWraps, userIdentities, users } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { appendIdentity } from './identity-log.ts';
import { privacyColumns } from './privacy.ts';
import { type Issued, openSession } from './sessions.ts';

/** Drivers hand out Buffers that may share memory; the encoder takes plain bytes. */
const base64 = (bytes: Uint8Array) => toBase64(Uint8Array.from(bytes));

/** From where, for limits and for the list of devices. */
export interface Caller {
  readonly address: string;
  readonly userAgent: string | null;
}

const meColumns = {
  id: users.id,
  username: users.username,
  displayName: users.displayName,
  avatarUrl: users.avatarUrl,
  email: users.email,
  privacy: privacyColumns,
};

export async function findMe({ db }: { db: Db | Tx }, userId: string): Promise<Me> {
  const [me] = await db.select(meColumns).from(users).where(eq(users.id, userId));
  return must(me, 'a session belongs to a user that exists');
}

/** Bytes of a field, or BAD_REQUEST bad_format. */
export function bytesOf(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (cause) {
    throw new ParleyError('BAD_REQUEST', 'bad_format', { cause });
  }
}

export interface CheckedIdentity {
  readonly record: Uint8Array;
  readonly selfSig: Uint8Array;
  readonly prevSig: Uint8Array | null;
  readonly fingerprint: Uint8Array;
}

type OfferedIdentity = { record: string; selfSig: string; prevSig: string | null };

/** A link of a person's chain: names this very user, continues what is stored, and is signed as its kind demands. */
export async function checkIdentity(
  userId: string,
  offered: OfferedIdentity,
  expected: { kind: IdentityKind; previous?: SignedIdentity },
): Promise<CheckedIdentity & { gen: number }> {
  const [record, selfSig] = [bytesOf(offered.record), bytesOf(offered.selfSig)];
  const prevSig = offered.prevSig === null ? null : bytesOf(offered.prevSig);
  const signed = { record, selfSig, prevSig };
  let decoded: IdentityRecord;
  try {
    decoded = decodeIdentity(record);
  } catch (cause) {
    throw new ParleyError('BAD_REQUEST', 'bad_format', { cause });
  }
  const { kind, gen } = decoded;
  if (kind !== expected.kind || decoded.userId !== userId || (kind === 'rotate') !== (prevSig !== null))
    throw new ParleyError('BAD_REQUEST', 'bad_format', { message: 'not that identity of this user' });
  const next = expected.previous ? decodeIdentity(expected.previous.record).gen + 1 : 0;
  if (gen !== next)
    throw expected.previous
      ? new ParleyError('CONFLICT', 'identity_stale')
      : new ParleyError('BAD_REQUEST', 'bad_format', { message: 'not the first identity of this user' });
  try {
    await verifyIdentity(signed, expected.previous);
  } catch (cause) {
    throw new ParleyError('BAD_REQUEST', 'bad_signature', { cause });
  }
  return { ...signed, gen, fingerprint: await fingerprint(decoded) };
}

const MIN_SALT_BYTES = 16;
export function requireSalt(kdf: Kdf): void {
  const { length } = bytesOf(kdf.salt);
  if (length < MIN_SALT_BYTES || length > 64)
    throw new ParleyError('BAD_REQUEST', 'bad_format', { message: 'salt: 16 to 64 bytes', limit: MIN_SALT_BYTES });
}

const TAKEN: Record<string, Reason> = {
  users_pkey: 'user_id_taken',
  users_username_uq: 'username_taken',
  users_email_uq: 'email_taken',
};
function takenReason(error: unknown): Reason | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, constraint_name: name } = at as { code?: unknown; constraint_name?: string };
    if (code === '23505' && name !== undefined) return TAKEN[name] ?? null;
  }
  return null;
}

/** What a new account shows, until its owner says otherwise; the defaults of the table. */
const ALL_SHARED: Privacy = { receipts: true, presence: true, typing: true };

/** Everything of an account in one transaction: there is never a user without keys. */
export async function register(
  deps: Deps,
  caller: Caller,
  input: z.output<typeof Register>,
): Promise<{ user: Me; issued: Issued }> {
  deps.passwords.requireDerived(input.password);
  await deps.limits.take('register', caller.address);
  const { kdf, wrappedMasterKey, recoveryVerifier, keyring } = input.identity;
  requireSalt(kdf);
  const identity = await checkIdentity(input.id, input.identity, { kind: 'first' });
  const sealed = {
    password: deps.atRest.seal(wrapPlace(input.id, 'password'), bytesOf(wrappedMasterKey.password)),
    recovery: deps.atRest.seal(wrapPlace(input.id, 'recovery'), bytesOf(wrappedMasterKey.recovery)),
    keyring: deps.atRest.seal(keyringPlace(input.id), bytesOf(keyring)),
  };
  const verifier = bytesOf(recoveryVerifier);
  const passwordHash = await deps.passwords.hash(input.password);
  const { id, username, email, displayName = username } = input;
  try {
    const issued = await deps.db.transaction(async (tx) => {
      await tx.insert(users).values({ id, username, email, displayName, passwordHash, kdf });
      await tx.insert(userIdentities).values({ userId: id, kind: 0, ...identity });
      await tx.insert(accountKeyWraps).values([
        { userId: id, kind: 'password', wrapped: sealed.password },
        { userId: id, kind: 'recovery', wrapped: sealed.recovery, verifier },
      ]);
      await tx.insert(accountBlobs).values({ userId: id, name: 'keyring', version: 1, data: sealed.keyring });
      const session = { userId: id, kind: input.session, userAgent: caller.userAgent };
      const issued = await openSession(tx, deps.now(), session);
      await appendIdentity(tx, { userId: id, gen: 0, record: identity.record });
      return issued;
    });
    return { user: { id, username, displayName, avatarUrl: null, email, privacy: ALL_SHARED }, issued };
  } catch (error) {
    const reason = takenReason(error);
    throw reason === null ? error : new ParleyError('CONFLICT', reason);
  }
}

/** A user name holds no @, so one text is never both. */
export const byLogin = (login: string) =>
  or(eq(sql`lower(${users.username})`, sql`lower(${login})`), eq(sql`lower(${users.email})`, sql`lower(${login})`));

/** jsonb orders its keys in its own way; the real and the pretended answer must read the same. */
const inOrder = ({ alg, m, t, p, salt }: Kdf): Kdf => ({ alg, m, t, p, salt });

export async function preLogin(deps: Deps, caller: Caller, login: string): Promise<{ kdf: Kdf }> {
  await deps.limits.take('preLogin', caller.address);
  const [user] = await deps.db.select({ kdf: users.kdf }).from(users).where(byLogin(login));
  const pretended = deps.passwords.pretendKdf(login);
  return { kdf: inOrder(user?.kdf ?? pretended) };
}

/** @returns the user's id. @throws ParleyError UNAUTHORIZED invalid_credentials */
async function proveLogin(deps: Deps, { login, password }: z.output<typeof Login>): Promise<string> {
  const [user] = await deps.db
    .select({ id: users.id, passwordHash: users.passwordHash })
    .from(users)
    .where(byLogin(login));
  const right = await deps.passwords.verify(password, user?.passwordHash ?? null);
  if (!right || user === undefined) throw new ParleyError('UNAUTHORIZED', 'invalid_credentials');
  return user.id;
}

const GUESSES = new Set<Reason>(['invalid_credentials', 'invalid_code']);

/**
 * Counted before, given back unless the guess was wrong: looking first and counting later would let a thousand guesses
 * in at once.
 */
export async function limitGuesses<T>(
  { limits }: Deps,
  { caller, login }: { caller: Caller; login: string },
  prove: () => Promise<T>,
): Promise<T> {
  const name = login.toLowerCase();
  const counters = [
    ['failedLogin', `${name}|${caller.address}`],
    ['failedLoginAccount', name],
    ['failedLoginAddress', caller.address],
  ] as const;
  for (const [rule, key] of counters) await limits.take(rule, key);
  const giveBack = async () => {
    for (const [rule, key] of counters) await limits.giveBack(rule, key);
  };
  const proven = await prove().catch(async (error: unknown) => {
    if (!(error instanceof ParleyError && GUESSES.has(error.reason))) await giveBack();
    throw error;
  });
  await giveBack();
  return proven;
}

/** Wrong password and unknown login take the same road, do the same work and give the same answer (P25). */
export async function logIn(deps: Deps, caller: Caller, input: z.output<typeof Login>): Promise<Issued> {
  deps.passwords.requireDerived(input.password);
  const userId = await limitGuesses(deps, { caller, login: input.login }, () => proveLogin(deps, input));
  return deps.db.transaction((tx) =>
    openSession(tx, deps.now(), { userId, kind: input.session, userAgent: caller.userAgent }),
  );
}

/** What a new device needs to read the whole history with nothing but the password (P31). */
export async function loadAccount(deps: Deps, userId: string): Promise<Account> {
  const { db, atRest } = deps;
  const [[identity], [user], [wrap], blobs] = await Promise.all([
    db
      .select()
      .from(userIdentities)
      .where(eq(userIdentities.userId, userId))
      .orderBy(desc(userIdentities.gen))
      .limit(1),
    db.select({ kdf: users.kdf }).from(users).where(eq(users.id, userId)),
    db
      .select({ wrapped: accountKeyWraps.wrapped })
      .from(accountKeyWraps)
      .where(and(eq(accountKeyWraps.userId, userId), eq(accountKeyWraps.kind, 'password'))),
    db.select().from(accountBlobs).where(eq(accountBlobs.userId, userId)),
  ]);
  const { gen, record, selfSig, prevSig } = must(identity, 'every user has an identity');
  const keyring = must(
    blobs.find((blob) => blob.name === 'keyring'),
    'every user has a keyring',
  );
  const settings = blobs.find((blob) => blob.name === 'settings');
  const wrapped = must(wrap, 'every user has a wrapped master key').wrapped;
  return {
    identity: { gen, record: base64(record), selfSig: base64(selfSig), prevSig: prevSig ? base64(prevSig) : null },
    kdf: inOrder(must(user, 'the session belongs to a user').kdf),
    wrappedMasterKey: { password: base64(atRest.open(wrapPlace(userId, 'password'), wrapped)) },
    keyring: base64(atRest.open(keyringPlace(userId), keyring.data)),
    settings: settings ? { version: settings.version, data: base64(settings.data) } : null,
  };
}
