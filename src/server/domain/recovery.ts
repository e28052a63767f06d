/**
 * Ways back in without the password: with the recovery key, or - everything lost but the mailbox - with a code and new keys.
 * Whether a login exists is nobody's to learn here either (P25).
 */
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import type { z } from 'zod';
import { toBase64 } from '#crypto/verify';
import type {
  BeginReset,
  CodePurpose,
  OpenRecovery,
  Recover,
  RecoverableAccount,
  RequestCode,
  ResetAccount,
  ResettableAccount,
} from '#protocol/account';
import { ParleyError } from '#protocol/errors';
import { wrapPlace } from '../auth/at-rest.ts';
import { accountKeyWraps, users } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { checkCode, type CodeOf, issueCode, spendCode } from './account-codes.ts';
import { lastIdentity, lockIdentity, newPassword, replaceKeys } from './account-identity.ts';
import { storeRecoveryWrap } from './account-keys.ts';
import { byLogin, bytesOf, type Caller, checkIdentity, limitGuesses, loadAccount } from './accounts.ts';
import { orRepeated } from './account-repeats.ts';
import { change } from './change.ts';
import { endOtherSessions, type Issued, openSession } from './sessions.ts';

const base64 = (bytes: Uint8Array) => toBase64(Uint8Array.from(bytes));

const ACTS: Record<CodePurpose, string> = {
  recover: 'set a new password with your recovery key',
  unlock: 'set a new password on a device where you are signed in',
  reset: 'start over with new keys. What was written to you so far will not be readable any more',
};

export async function findByLogin(
  { db }: Pick<Deps, 'db'>,
  login: string,
): Promise<{ id: string; email: string } | undefined> {
  const [user] = await db.select({ id: users.id, email: users.email }).from(users).where(byLogin(login));
  return user;
}

async function mailCode(deps: Deps, { userId, purpose }: CodeOf, email: string): Promise<void> {
  const code = await issueCode(deps, { userId, purpose });
  await deps.mail?.send({
    to: email,
    subject: 'Your code',
    text: `${code}\n\nWith this code you can ${ACTS[purpose]}. It is good for 15 minutes.\n\nIf you did not ask for it, somebody else did. Without the code nothing happens; you can throw this letter away.\n`,
  });
}

/** The answer comes before anything is looked up or sent: neither it nor its time says whether there is such a login. */
export async function requestCode(
  deps: Deps,
  caller: Caller,
  { login, purpose }: z.output<typeof RequestCode>,
): Promise<{ mailed: boolean }> {
  await deps.limits.take('codeAddress', caller.address);
  await deps.limits.take('code', `${purpose}|${login.toLowerCase()}`);
  if (deps.mail === null) return { mailed: false };
  const send = async () => {
    const user = await findByLogin(deps, login);
    if (user) await mailCode(deps, { userId: user.id, purpose }, user.email);
  };
  void send().catch((error: unknown) => deps.log.error({ err: error }, 'an account code could not be mailed'));
  return { mailed: true };
}

/** For somebody who is signed in and has forgotten the password. */
export async function requestOwnCode(deps: Deps, userId: string): Promise<{ mailed: boolean }> {
  if (deps.mail === null) return { mailed: false };
  await deps.limits.take('code', `unlock|${userId}`);
  const [user] = await deps.db.select({ email: users.email }).from(users).where(eq(users.id, userId));
  if (user) await mailCode(deps, { userId, purpose: 'unlock' }, user.email);
  return { mailed: true };
}

const recoveryWrapOf = (userId: string) =>
  and(eq(accountKeyWraps.userId, userId), eq(accountKeyWraps.kind, 'recovery'));

interface Proven {
  readonly userId: string;
  readonly verifier: Uint8Array;
  readonly wrapped: Uint8Array;
}

/** The recovery key, and where mail is sent the mailbox, too. */
async function proveRecovery(
  deps: Deps,
  caller: Caller,
  { login, recoveryProof, code }: Pick<z.output<typeof OpenRecovery>, 'login' | 'recoveryProof' | 'code'>,
): Promise<Proven> {
  if (deps.mail !== null && code === undefined) throw new ParleyError('FORBIDDEN', 'code_required');
  return limitGuesses(deps, { caller, login }, async () => {
    const [found] = await deps.db
      .select({ userId: users.id, verifier: accountKeyWraps.verifier, wrapped: accountKeyWraps.wrapped })
      .from(users)
      .innerJoin(accountKeyWraps, and(eq(accountKeyWraps.userId, users.id), eq(accountKeyWraps.kind, 'recovery')))
      .where(byLogin(login));
    const { verifier = null } = found ?? {};
    const offered = createHash('sha256').update(bytesOf(recoveryProof)).digest();
    const isRight = timingSafeEqual(offered, verifier ?? randomBytes(32));
    if (!isRight || !found || verifier === null) throw new ParleyError('UNAUTHORIZED', 'invalid_credentials');
    if (deps.mail !== null) await checkCode(deps, { userId: found.userId, purpose: 'recover' }, code ?? '');
    return { ...found, verifier };
  });
}

/** What the recovery key opens: the master key's other wrap, and what is sealed under the master key. */
export async function openRecovery(
  deps: Deps,
  caller: Caller,
  input: z.output<typeof OpenRecovery>,
): Promise<RecoverableAccount> {
  const { userId, wrapped } = await proveRecovery(deps, caller, input);
  const { identity, keyring, settings } = await loadAccount(deps, userId);
  const recovery = base64(deps.atRest.open(wrapPlace(userId, 'recovery'), wrapped));
  return { userId, identity, keyring, settings, wrappedMasterKey: { recovery } };
}

/** A new password and a new recovery key over the same master key. Whoever was signed in is not any more. */
export async function recover(deps: Deps, caller: Caller, input: z.output<typeof Recover>): Promise<Issued> {
  const issued = await orRepeated(
    () => recoverOnce(deps, caller, input),
    () => enterAgain(deps, caller, input),
  );
  await endOtherSessions(deps, issued);
  return issued;
}

async function recoverOnce(deps: Deps, caller: Caller, input: z.output<typeof Recover>): Promise<Issued> {
  const { userId, verifier } = await proveRecovery(deps, caller, input);
  const password = await newPassword(deps, input);
  return deps.db.transaction(async (tx) => {
    await lockIdentity(tx, userId);
    if (deps.mail !== null) await spendCode(tx, deps, { userId, purpose: 'recover' }, input.code ?? '');
    // Compare and set: the key that was proven has to be the one in force.
    const wraps = await tx
      .select({ verifier: accountKeyWraps.verifier })
      .from(accountKeyWraps)
      .where(recoveryWrapOf(userId));
    if (!wraps[0]?.verifier || !timingSafeEqual(wraps[0].verifier, verifier))
      throw new ParleyError('UNAUTHORIZED', 'invalid_credentials');
    await tx
      .update(users)
      .set({ passwordHash: password?.hash ?? '', kdf: input.kdf })
      .where(eq(users.id, userId));
    const wrapped = deps.atRest.seal(wrapPlace(userId, 'password'), bytesOf(input.wrappedMasterKey.password));
    await tx
      .update(accountKeyWraps)
      .set({ wrapped, createdAt: new Date(deps.now()) })
      .where(and(eq(accountKeyWraps.userId, userId), eq(accountKeyWraps.kind, 'password')));
    await storeRecoveryWrap(deps, tx, userId, {
      wrapped: input.wrappedMasterKey.recovery,
      verifier: input.recoveryVerifier,
    });
    return openSession(tx, deps.now(), { userId, kind: input.session, userAgent: caller.userAgent });
  });
}

/**
 * The answer was lost after what proved it was spent. Nobody but the one who made them offers these locks, and of those the password has to be
 * right too: that is a log-in. A guess learns nothing from it, not even by its time: nothing is verified before the verifier is the one in force.
 */
async function enterAgain(
  deps: Deps,
  caller: Caller,
  { login, password, recoveryVerifier, session }: z.output<typeof Recover> | z.output<typeof ResetAccount>,
): Promise<Issued | null> {
  const [found] = await deps.db
    .select({ userId: users.id, hash: users.passwordHash, verifier: accountKeyWraps.verifier })
    .from(users)
    .innerJoin(accountKeyWraps, and(eq(accountKeyWraps.userId, users.id), eq(accountKeyWraps.kind, 'recovery')))
    .where(byLogin(login));
  if (!found?.verifier || !timingSafeEqual(found.verifier, bytesOf(recoveryVerifier))) return null;
  if (!(await deps.passwords.verify(password, found.hash))) return null;
  const { userId } = found;
  return deps.db.transaction((tx) =>
    openSession(tx, deps.now(), { userId, kind: session, userAgent: caller.userAgent }),
  );
}

async function proveReset(
  deps: Deps,
  caller: Caller,
  { login, code }: z.output<typeof BeginReset>,
): Promise<{ userId: string }> {
  return limitGuesses(deps, { caller, login }, async () => {
    // Nobody's code is looked for just as thoroughly.
    const userId = (await findByLogin(deps, login))?.id ?? randomUUID();
    await checkCode(deps, { userId, purpose: 'reset' }, code);
    return { userId };
  });
}

/** What the next identity has to continue. */
export async function beginReset(
  deps: Deps,
  caller: Caller,
  input: z.output<typeof BeginReset>,
): Promise<ResettableAccount> {
  const { userId } = await proveReset(deps, caller, input);
  const { gen, record, selfSig, prevSig } = await lastIdentity(deps.db, userId);
  const identity = { gen, record: base64(record), selfSig: base64(selfSig), prevSig: prevSig ? base64(prevSig) : null };
  return { userId, identity };
}

/** New keys that nothing vouches for but the code. Everybody who knew the person is told so. */
export async function resetAccount(deps: Deps, caller: Caller, input: z.output<typeof ResetAccount>): Promise<Issued> {
  const issued = await orRepeated(
    () => resetOnce(deps, caller, input),
    () => enterAgain(deps, caller, input),
  );
  await endOtherSessions(deps, issued);
  return issued;
}

async function resetOnce(deps: Deps, caller: Caller, input: z.output<typeof ResetAccount>): Promise<Issued> {
  const { userId } = await proveReset(deps, caller, input);
  const password = await newPassword(deps, input);
  return change(deps, async (step) => {
    const { tx } = step;
    const previous = await lockIdentity(tx, userId);
    const identity = await checkIdentity(userId, input.identity, { kind: 'reset', previous });
    await spendCode(tx, deps, { userId, purpose: 'reset' }, input.code);
    await replaceKeys(deps, step, { ...input, userId, identity, kind: 2, password });
    return openSession(tx, deps.now(), { userId, kind: input.session, userAgent: caller.userAgent });
  });
}
