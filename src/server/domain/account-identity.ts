/** New keys for a person: signed by the old ones (rotation), or openly not (reset). All of it in one transaction. */
import { and, desc, eq, isNull, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { bytesEqual, type SignedIdentity } from '#crypto/verify';
import { must } from '#lib/must';
import type { RotateIdentity } from '#protocol/account';
import { ParleyError } from '#protocol/errors';
import type { Kdf } from '#protocol/keys';
import { keyringPlace, wrapPlace } from '../auth/at-rest.ts';
import type { Session } from '../auth/tokens.ts';
import type { Tx } from '../db/client.ts';
import {
  accountBlobs,
  accountKeyWraps,
  conversationParticipants,
  conversations,
  keychains,
  userIdentities,
  users,
} from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { checkCode, spendCode } from './account-codes.ts';
import { provePassword, requireUnchanged, storeRecoveryWrap } from './account-keys.ts';
import { bytesOf, type CheckedIdentity, checkIdentity, requireSalt } from './accounts.ts';
import { change, type Change, currentXid } from './change.ts';
import { appendIdentity } from './identity-log.ts';
import { loadConversations } from './present.ts';
import { endOtherSessions } from './sessions.ts';

export interface NewKeys {
  readonly keyring: string;
  readonly wrappedMasterKey: { readonly password: string; readonly recovery?: string | undefined };
  readonly recoveryVerifier?: string | undefined;
  /** Where the password is new, too. */
  readonly password?: { readonly hash: string; readonly kdf: Kdf } | undefined;
}

/** The newest link of a person's chain. With the row of the user locked: one new identity at a time. */
export async function lockIdentity(tx: Tx, userId: string): Promise<SignedIdentity> {
  await tx.select({ id: users.id }).from(users).where(eq(users.id, userId)).for('no key update');
  return lastIdentity(tx, userId);
}

export async function lastIdentity(db: Tx | Deps['db'], userId: string): Promise<SignedIdentity & { gen: number }> {
  const [last] = await db
    .select({
      gen: userIdentities.gen,
      record: userIdentities.record,
      selfSig: userIdentities.selfSig,
      prevSig: userIdentities.prevSig,
    })
    .from(userIdentities)
    .where(eq(userIdentities.userId, userId))
    .orderBy(desc(userIdentities.gen))
    .limit(1);
  return must(last, 'every user has an identity');
}

/** The signature of the keys before is the proof; a new password without the old one needs a code besides, where mail is sent. */
export async function rotateIdentity(
  deps: Deps,
  me: Session,
  input: z.output<typeof RotateIdentity>,
): Promise<{ success: true }> {
  const { userId } = me;
  const offered = bytesOf(input.identity.record);
  const isRepeat = async () => bytesEqual((await lastIdentity(deps.db, userId)).record, offered);
  if (await isRepeat()) {
    // The first time may have been cut short between the keys and the sessions.
    await endOtherSessions(deps, me);
    return { success: true };
  }
  const unlock = { userId, purpose: 'unlock' } as const;
  const needsCode = deps.mail !== null && input.password !== undefined && input.currentPassword === undefined;
  const proven = input.currentPassword === undefined ? null : await provePassword(deps, userId, input.currentPassword);
  if (needsCode) {
    if (input.code === undefined) throw new ParleyError('FORBIDDEN', 'code_required');
    await checkCode(deps, unlock, input.code);
  }
  const password = await newPassword(deps, input);
  await change(deps, async (step) => {
    const { tx } = step;
    const previous = await lockIdentity(tx, userId);
    const identity = await checkIdentity(userId, input.identity, { kind: 'rotate', previous });
    if (needsCode) await spendCode(tx, deps, unlock, input.code ?? '');
    if (proven !== null) await requireUnchanged(tx, userId, { proven });
    await replaceSettings(tx, userId, input.settings);
    await replaceKeys(deps, step, { ...input, userId, identity, kind: 1, password });
  });
  await endOtherSessions(deps, me);
  return { success: true };
}

/** @returns what is kept of a new password, where one is given */
export async function newPassword(
  deps: Deps,
  { password, kdf }: { password?: string | undefined; kdf?: Kdf | undefined },
): Promise<NewKeys['password']> {
  if (password === undefined || kdf === undefined) return undefined;
  deps.passwords.requireDerived(password);
  requireSalt(kdf);
  return { hash: await deps.passwords.hash(password), kdf };
}

/** Stores the next generation with everything sealed anew, and asks every conversation of this person for new keys. */
export async function replaceKeys(
  deps: Deps,
  step: Change,
  to: NewKeys & { userId: string; identity: CheckedIdentity & { gen: number }; kind: 1 | 2 },
): Promise<void> {
  const { tx } = step;
  const { userId, identity, kind, wrappedMasterKey, recoveryVerifier, password } = to;
  const { gen, record } = identity;
  await tx.insert(userIdentities).values({ userId, kind, ...identity });
  const set = { identityGen: gen, ...(password && { passwordHash: password.hash, kdf: password.kdf }) };
  await tx.update(users).set(set).where(eq(users.id, userId));
  const wrapped = deps.atRest.seal(wrapPlace(userId, 'password'), bytesOf(wrappedMasterKey.password));
  await tx
    .update(accountKeyWraps)
    .set({ wrapped, createdAt: new Date(deps.now()) })
    .where(and(eq(accountKeyWraps.userId, userId), eq(accountKeyWraps.kind, 'password')));
  await storeRecoveryWrap(deps, tx, userId, {
    wrapped: wrappedMasterKey.recovery,
    verifier: recoveryVerifier,
  });
  await tx
    .update(accountBlobs)
    .set({
      version: sql`${accountBlobs.version} + 1`,
      data: deps.atRest.seal(keyringPlace(userId), bytesOf(to.keyring)),
    })
    .where(and(eq(accountBlobs.userId, userId), eq(accountBlobs.name, 'keyring')));
  if (kind === 2) await dropUnreadable(tx, userId);
  await requireRotations(step, userId);
  await appendIdentity(tx, { userId, gen, record });
}

/** Sealed under the old master key, they would be lost: whoever rotates seals them again, the newest ones. */
async function replaceSettings(tx: Tx, userId: string, next: { version: number; data: string } | undefined) {
  const mine = and(eq(accountBlobs.userId, userId), eq(accountBlobs.name, 'settings'));
  const [stored] = await tx.select({ version: accountBlobs.version }).from(accountBlobs).where(mine);
  if (!stored && !next) return;
  if (next?.version !== (stored?.version ?? 0) + 1) throw new ParleyError('CONFLICT', 'settings_stale');
  const { version } = next;
  const data = bytesOf(next.data);
  await tx
    .insert(accountBlobs)
    .values({ userId, name: 'settings', version, data })
    .onConflictDoUpdate({ target: [accountBlobs.userId, accountBlobs.name], set: { version, data } });
}

/** After a reset nobody has the key to what was sealed for this person alone. */
async function dropUnreadable(tx: Tx, userId: string): Promise<void> {
  await tx.delete(accountBlobs).where(and(eq(accountBlobs.userId, userId), eq(accountBlobs.name, 'settings')));
  await tx.delete(keychains).where(eq(keychains.userId, userId));
}

/** No message before each conversation has an epoch for the new keys. In the order in which the writer locks. */
async function requireRotations({ tx, emit }: Change, userId: string): Promise<void> {
  const mine = await tx
    .select({ id: conversations.id })
    .from(conversations)
    .innerJoin(conversationParticipants, eq(conversationParticipants.conversationId, conversations.id))
    .where(
      and(
        eq(conversationParticipants.userId, userId),
        isNull(conversationParticipants.leftAt),
        eq(conversations.isActive, true),
      ),
    )
    .orderBy(conversations.id)
    .for('no key update', { of: conversations });
  if (mine.length === 0) return;
  const ids = mine.map(({ id }) => id);
  const marked = await tx
    .update(conversations)
    .set({
      rekeyRequired: true,
      version: sql`${conversations.version} + 1`,
      changedXid: currentXid,
      ownVersion: sql`${conversations.version} + 1`,
      ownXid: currentXid,
    })
    .where(sql`${conversations.id} in ${ids}`)
    .returning({ id: conversations.id, version: conversations.version });
  const shown = await loadConversations(tx, ids);
  for (const { id, version } of marked) {
    const conversation = shown.get(id);
    if (conversation) emit(id, version, { type: 'conversation', conversation });
  }
}
