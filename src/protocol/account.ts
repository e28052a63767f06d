/** An account's password and keys over time: what changing, recovering, rotating and resetting carry. Formats: docs/crypto.md. */
import { z } from 'zod';
import { Account, DerivedPassword, LockedGen, LoginName, SessionKind } from './auth.ts';
import { base64, base64Of } from './bytes.ts';
import { Id } from './ids.ts';
import { Kdf, SettingsInput, SignedIdentity } from './keys.ts';

export const OpenAccount = z.object({ password: DerivedPassword });
export const NewRecoveryKey = z.object({
  gen: LockedGen,
  password: DerivedPassword,
  wrappedMasterKey: z.object({ recovery: base64(400) }),
  recoveryVerifier: base64Of(32),
});

/** What proves to be the owner when the password is not at hand: digits, sent by mail or handed over by the operator. */
export const Code = z
  .string()
  .max(40)
  .transform((code) => code.replaceAll(/[\s-]/g, ''));
export const CodePurpose = z.enum(['recover', 'unlock', 'reset']);
export type CodePurpose = z.infer<typeof CodePurpose>;
export const RequestCode = z.object({ login: LoginName, purpose: z.enum(['recover', 'reset']) });
/** Whether codes are sent by mail here; the answer says nothing about the login. */
export const CodeRequested = z.object({ mailed: z.boolean() });

const Locks = z.object({ password: base64(400), recovery: base64(400) });
const NewPassword = { password: DerivedPassword, kdf: Kdf };

export const RotateIdentity = z
  .object({
    identity: SignedIdentity,
    keyring: base64(20_000),
    wrappedMasterKey: Locks.partial({ recovery: true }),
    recoveryVerifier: base64Of(32).optional(),
    /** Proves the password that was in force so far. */
    currentPassword: DerivedPassword.optional(),
    password: DerivedPassword.optional(),
    kdf: Kdf.optional(),
    settings: SettingsInput.optional(),
    code: Code.optional(),
  })
  .refine((it) => (it.password === undefined) === (it.kdf === undefined), 'password and kdf come together')
  .refine(
    (it) => (it.recoveryVerifier === undefined) === (it.wrappedMasterKey.recovery === undefined),
    'recoveryVerifier and wrappedMasterKey.recovery come together',
  );

/** The proof is what the recovery key derives for the server; the server keeps its SHA-256. */
const proven = { login: LoginName, recoveryProof: base64Of(32), code: Code.optional() };
export const OpenRecovery = z.object(proven);
export const RecoverableAccount = Account.omit({ kdf: true }).extend({
  userId: Id,
  wrappedMasterKey: z.object({ recovery: z.string() }),
});
export type RecoverableAccount = z.infer<typeof RecoverableAccount>;
export const Recover = z.object({
  ...proven,
  ...NewPassword,
  wrappedMasterKey: Locks,
  recoveryVerifier: base64Of(32),
  session: SessionKind,
});

export const BeginReset = z.object({ login: LoginName, code: Code });
export const ResettableAccount = Account.pick({ identity: true }).extend({ userId: Id });
export type ResettableAccount = z.infer<typeof ResettableAccount>;
export const ResetAccount = z.object({
  login: LoginName,
  code: Code,
  ...NewPassword,
  identity: SignedIdentity,
  keyring: base64(20_000),
  wrappedMasterKey: Locks,
  recoveryVerifier: base64Of(32),
  session: SessionKind,
});
