/** Accounts and sessions: what registration and log-in carry. No password ever travels: `password` is derived from it. */
import { z } from 'zod';
import { base64, base64Of } from './bytes.ts';
import { Id, UserId } from './ids.ts';
import { Kdf, SignedIdentity, StoredSettings } from './keys.ts';
import { text } from './text.ts';
import { DisplayName, Email, Me, Username } from './user.ts';

/** The derived `authSecret`: 32 bytes in base64url. A raw password never has this form, so a mistake is caught here. */
export const AUTH_SECRET = /^[A-Za-z0-9_-]{43}$/;
/** Accepted as any string, so that the server can answer `password_not_derived` instead of a list of issues. */
export const DerivedPassword = z.string().max(1_000);
export const SessionKind = z.enum(['token', 'cookie']).default('token');

export const RegistrationIdentity = SignedIdentity.extend({
  kdf: Kdf,
  wrappedMasterKey: z.object({ password: base64(400), recovery: base64(400) }),
  /** SHA-256 of the secret that the recovery key proves. */
  recoveryVerifier: base64Of(32),
  keyring: base64(20_000),
});
export const Register = z.object({
  id: UserId,
  username: Username,
  email: Email,
  displayName: DisplayName.optional(),
  password: DerivedPassword,
  identity: RegistrationIdentity,
  session: SessionKind,
});
/** A user name or an e-mail address, in any case. */
export const LoginName = text().trim().min(1).max(254);
export const PreLogin = z.object({ login: LoginName });
export const Login = z.object({ login: LoginName, password: DerivedPassword, session: SessionKind });
/** The token of programs; browsers send their cookie instead. */
export const Refresh = z.object({ refreshToken: z.string().max(500).nullish() }).nullish();

export const Account = z.object({
  identity: z.object({ gen: z.int(), record: z.string(), selfSig: z.string(), prevSig: z.string().nullable() }),
  kdf: Kdf,
  wrappedMasterKey: z.object({ password: z.string() }),
  keyring: z.string(),
  settings: StoredSettings.nullable(),
});
export type Account = z.infer<typeof Account>;

export const SignedIn = z.object({
  user: Me,
  accessToken: z.string(),
  accessTokenExpiresAt: z.string(),
  /** Absent when the session lives in a cookie. */
  refreshToken: z.string().optional(),
});
export type SignedIn = z.infer<typeof SignedIn>;
export const LoggedIn = SignedIn.extend({ account: Account });
export type LoggedIn = z.infer<typeof LoggedIn>;

export const Session = z.object({
  id: Id,
  current: z.boolean(),
  createdAt: z.string(),
  lastSeenAt: z.string(),
  userAgent: z.string().nullable(),
});
export type Session = z.infer<typeof Session>;
export const RevokeSession = z.object({ sessionId: Id });
export const Extend = z.object({ token: z.string().max(4_000) });
/** The generation of the keys that a new lock closes over; a lock of keys that are gone is refused. Not checked where it is absent. */
export const LockedGen = z.int().nonnegative().optional();
export const ChangePassword = z.object({
  gen: LockedGen,
  currentPassword: DerivedPassword,
  password: DerivedPassword,
  kdf: Kdf,
  wrappedMasterKey: z.object({ password: base64(400) }),
  /** For the same password, stretched further: nobody else has to learn anything new. */
  keepSessions: z.boolean().optional(),
});
