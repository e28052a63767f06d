/** Changing what an account keeps sealed: the password's wrap of the master key, and the settings blob. */
import { and, eq } from 'drizzle-orm';
import type { z } from 'zod';
import type { ChangePassword } from '#protocol/auth';
import { toBase64 } from '#crypto/verify';
import { ParleyError } from '#protocol/errors';
import type { SettingsInput, StoredSettings } from '#protocol/keys';
import { wrapPlace } from '../auth/at-rest.ts';
import type { Session } from '../auth/tokens.ts';
import type { Db } from '../db/client.ts';
import { accountBlobs, accountKeyWraps, users } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { bytesOf, requireSalt } from './accounts.ts';
import { endOtherSessions } from './sessions.ts';

/** Only the master key's wrap changes hands; everything sealed under it stays. Other devices have to log in again. */
export async function changePassword(
  deps: Deps,
  me: Session,
  input: z.output<typeof ChangePassword>,
): Promise<{ success: true }> {
  deps.passwords.requireDerived(input.currentPassword);
  deps.passwords.requireDerived(input.password);
  requireSalt(input.kdf);
  // A stolen access token must not become a place to guess the password.
  await deps.limits.take('failedLogin', me.userId);
  const find = () => deps.db.select({ hash: users.passwordHash }).from(users).where(eq(users.id, me.userId));
  const [user] = await find();
  if (!(await deps.passwords.verify(input.currentPassword, user?.hash ?? null)))
    throw new ParleyError('FORBIDDEN', 'invalid_credentials');
  await deps.limits.giveBack('failedLogin', me.userId);
  const passwordHash = await deps.passwords.hash(input.password);
  const wrapped = deps.atRest.seal(wrapPlace(me.userId, 'password'), bytesOf(input.wrappedMasterKey.password));
  await deps.db.transaction(async (tx) => {
    // Compare and set: of two changes at once, the second has proved a password that is no longer the current one.
    const changed = await tx
      .update(users)
      .set({ passwordHash, kdf: input.kdf })
      .where(and(eq(users.id, me.userId), eq(users.passwordHash, user?.hash ?? '')))
      .returning({ id: users.id });
    if (changed.length === 0) throw new ParleyError('FORBIDDEN', 'invalid_credentials');
    await tx
      .update(accountKeyWraps)
      .set({ wrapped, createdAt: new Date(deps.now()) })
      .where(and(eq(accountKeyWraps.userId, me.userId), eq(accountKeyWraps.kind, 'password')));
  });
  await endOtherSessions(deps, me);
  return { success: true };
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
