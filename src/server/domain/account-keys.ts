/** Changing what an account keeps sealed: the password's wrap of the master key, and the settings blob. */
import { and, eq } from 'drizzle-orm';
import type { z } from 'zod';
import type { NewRecoveryKey, OpenAccount } from '#protocol/account';
import type { Account, ChangePassword } from '#protocol/auth';
import { bytesEqual, toBase64 } from '#crypto/verify';
import { ParleyError } from '#protocol/errors';
import type { SettingsInput, StoredSettings } from '#protocol/keys';
import { wrapPlace } from '../auth/at-rest.ts';
import type { Session } from '../auth/tokens.ts';
import type { Db, Tx } from '../db/client.ts';
import { accountBlobs, accountKeyWraps, users } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { bytesOf, loadAccount, requireSalt } from './accounts.ts';
import { orRepeated } from './account-repeats.ts';
import { endOtherSessions } from './sessions.ts';

/**
 * A stolen access token must not become a place to guess the password.
 * @returns the hash that was proven, to be compared and set. @throws ParleyError FORBIDDEN invalid_credentials
 */
export async function provePassword(deps: Deps, userId: string, password: string): Promise<string> {
  deps.passwords.requireDerived(password);
  await deps.limits.take('failedLogin', userId);
  const [user] = await deps.db.select({ hash: users.passwordHash }).from(users).where(eq(users.id, userId));
  const hash = user?.hash ?? null;
  if (!(await deps.passwords.verify(password, hash)) || hash === null)
    throw new ParleyError('FORBIDDEN', 'invalid_credentials');
  await deps.limits.giveBack('failedLogin', userId);
  return hash;
}

/** The sealed account once more, for one who is signed in and has to open the master key again. */
export async function openAccount(
  deps: Deps,
  userId: string,
  { password }: z.output<typeof OpenAccount>,
): Promise<Account & { hasRecoveryKey: boolean }> {
  await provePassword(deps, userId, password);
  const recovery = and(eq(accountKeyWraps.userId, userId), eq(accountKeyWraps.kind, 'recovery'));
  const [account, count] = await Promise.all([loadAccount(deps, userId), deps.db.$count(accountKeyWraps, recovery)]);
  return { ...account, hasRecoveryKey: count > 0 };
}

/** Another recovery key; the one before opens nothing any more. */
export async function newRecoveryKey(
  deps: Deps,
  userId: string,
  { gen, password, wrappedMasterKey, recoveryVerifier }: z.output<typeof NewRecoveryKey>,
): Promise<{ success: true }> {
  const proven = await provePassword(deps, userId, password);
  const next = { wrapped: wrappedMasterKey.recovery, verifier: recoveryVerifier };
  await deps.db.transaction(async (tx) => {
    await requireUnchanged(tx, userId, { proven, gen });
    await storeRecoveryWrap(deps, tx, userId, next);
  });
  return { success: true };
}

/**
 * With the row of the user locked: the password that was proven is in force, and the keys are those the change was made for. A lock of a master key
 * that is gone would lock the account for good.
 */
export async function requireUnchanged(
  tx: Tx,
  userId: string,
  { proven, gen }: { proven: string; gen?: number | undefined },
): Promise<void> {
  const [user] = await tx
    .select({ hash: users.passwordHash, gen: users.identityGen })
    .from(users)
    .where(eq(users.id, userId))
    .for('no key update');
  if (user?.hash !== proven) throw new ParleyError('FORBIDDEN', 'invalid_credentials');
  if (gen !== undefined && gen !== user.gen) throw new ParleyError('CONFLICT', 'identity_stale');
}

/** Without a wrap there is no recovery key from now on: the one before would open a master key that opens nothing. */
export async function storeRecoveryWrap(
  deps: Deps,
  tx: Tx,
  userId: string,
  next: { wrapped?: string | undefined; verifier?: string | undefined },
): Promise<void> {
  const mine = and(eq(accountKeyWraps.userId, userId), eq(accountKeyWraps.kind, 'recovery'));
  if (next.wrapped === undefined || next.verifier === undefined) {
    await tx.delete(accountKeyWraps).where(mine);
    return;
  }
  const set = {
    wrapped: deps.atRest.seal(wrapPlace(userId, 'recovery'), bytesOf(next.wrapped)),
    verifier: bytesOf(next.verifier),
    createdAt: new Date(deps.now()),
  };
  await tx
    .insert(accountKeyWraps)
    .values({ userId, kind: 'recovery', ...set })
    .onConflictDoUpdate({ target: [accountKeyWraps.userId, accountKeyWraps.kind], set });
}

/** Only the master key's wrap changes hands; everything sealed under it stays. Other devices have to log in again. */
export async function changePassword(
  deps: Deps,
  me: Session,
  input: z.output<typeof ChangePassword>,
): Promise<{ success: true }> {
  deps.passwords.requireDerived(input.password);
  requireSalt(input.kdf);
  const done = async () => ((await isInForce(deps, me.userId, input)) ? true : null);
  await orRepeated(() => changePasswordOnce(deps, me, input), done);
  if (!input.keepSessions) await endOtherSessions(deps, me);
  return { success: true };
}

async function changePasswordOnce(deps: Deps, me: Session, input: z.output<typeof ChangePassword>): Promise<true> {
  const proven = await provePassword(deps, me.userId, input.currentPassword);
  const passwordHash = await deps.passwords.hash(input.password);
  const wrapped = deps.atRest.seal(wrapPlace(me.userId, 'password'), bytesOf(input.wrappedMasterKey.password));
  await deps.db.transaction(async (tx) => {
    // Of two changes at once, the second has proved a password that is no longer the current one.
    await requireUnchanged(tx, me.userId, { proven, gen: input.gen });
    await tx.update(users).set({ passwordHash, kdf: input.kdf }).where(eq(users.id, me.userId));
    await tx
      .update(accountKeyWraps)
      .set({ wrapped, createdAt: new Date(deps.now()) })
      .where(and(eq(accountKeyWraps.userId, me.userId), eq(accountKeyWraps.kind, 'password')));
  });
  return true;
}

/** The lock is compared first: a stolen token without it is no better a place to guess the new password than the old one. */
async function isInForce(
  deps: Deps,
  userId: string,
  { password, wrappedMasterKey }: z.output<typeof ChangePassword>,
): Promise<boolean> {
  const [found] = await deps.db
    .select({ hash: users.passwordHash, wrapped: accountKeyWraps.wrapped })
    .from(users)
    .innerJoin(accountKeyWraps, and(eq(accountKeyWraps.userId, users.id), eq(accountKeyWraps.kind, 'password')))
    .where(eq(users.id, userId));
  if (!found) return false;
  const lock = deps.atRest.open(wrapPlace(userId, 'password'), found.wrapped);
  return bytesEqual(lock, bytesOf(wrappedMasterKey.password)) && deps.passwords.verify(password, found.hash);
}

/** Compare and set on the version, so that two devices cannot undo each other. The same write again succeeds. */
export async function saveSettings(
  deps: Deps,
  userId: string,
  { version, data }: z.output<typeof SettingsInput>,
): Promise<{ version: number }> {
  const bytes = bytesOf(data);
  const row = { userId, name: 'settings' as const, version, data: bytes };
  const mine = and(eq(accountBlobs.userId, userId), eq(accountBlobs.name, 'settings'));
  const written =
    version === 1
      ? await deps.db
          .insert(accountBlobs)
          .values(row)
          .onConflictDoNothing()
          .returning({ version: accountBlobs.version })
      : await deps.db
          .update(accountBlobs)
          .set({ version, data: bytes })
          .where(and(mine, eq(accountBlobs.version, version - 1)))
          .returning({ version: accountBlobs.version });
  if (written.length > 0) return { version };
  const [stored] = await deps.db.select().from(accountBlobs).where(mine);
  if (stored?.version === version && Buffer.compare(stored.data, bytes) === 0) return { version };
  throw new ParleyError('CONFLICT', 'settings_stale');
}

export async function readSettings(db: Db, userId: string): Promise<StoredSettings | null> {
  const [stored] = await db
    .select({ version: accountBlobs.version, data: accountBlobs.data })
    .from(accountBlobs)
    .where(and(eq(accountBlobs.userId, userId), eq(accountBlobs.name, 'settings')));
  return stored ? { version: stored.version, data: toBase64(Uint8Array.from(stored.data)) } : null;
}
