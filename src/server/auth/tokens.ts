/** Access tokens: short-lived EdDSA JWTs that name a user and a session, verified without the database. */
import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Reason } from '#protocol/errors';
import type { Secrets } from '../secrets.ts';

/** Who is calling. Times in milliseconds since 1970. */
export interface Session {
  readonly userId: string;
  readonly sessionId: string;
  readonly expiresAt: number;
}
export type Verified = { readonly session: Session } | { readonly refused: Reason };

const ISSUER = 'parley';
const Claims = z.object({ sub: z.uuid(), sid: z.uuid(), exp: z.number() });
/** Verifying costs 0.2 ms; a client sends the same token some hundred times. */
const REMEMBERED = 10_000;

export class Tokens {
  readonly #keys: Secrets['jwt'];
  readonly #ttlS: number;
  readonly #now: () => number;
  readonly #known = new Map<string, Session>();

  constructor(keys: Secrets['jwt'], ttlS: number, now: () => number) {
    this.#keys = keys;
    this.#ttlS = ttlS;
    this.#now = now;
  }

  async sign(userId: string, sessionId: string): Promise<{ token: string; expiresAt: Date }> {
    // Whole seconds, as in the token: client and server must mean the same moment.
    const exp = Math.floor(this.#now() / 1000) + this.#ttlS;
    const token = await new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' })
      .setIssuer(ISSUER)
      .setSubject(userId)
      .setIssuedAt()
      .setExpirationTime(exp)
      .sign(this.#keys.signKey);
    return { token, expiresAt: new Date(exp * 1000) };
  }

  /** Signature and time only; whether the session was revoked is `Revocations`' to say. Never throws. */
  async verify(token: string): Promise<Verified> {
    const known = this.#known.get(token);
    if (known !== undefined) {
      if (known.expiresAt > this.#now()) return { session: known };
      this.#known.delete(token);
      return { refused: 'token_expired' };
    }
    try {
      const { payload } = await jwtVerify(token, this.#keys.verifyKey, {
        algorithms: ['EdDSA'],
        issuer: ISSUER,
        typ: 'at+jwt',
        currentDate: new Date(this.#now()),
      });
      const { sub, sid, exp } = Claims.parse(payload);
      const session = { userId: sub, sessionId: sid, expiresAt: exp * 1000 };
      // Maps keep insertion order: the first key is the oldest.
      if (this.#known.size >= REMEMBERED) this.#known.delete(this.#known.keys().next().value ?? '');
      this.#known.set(token, session);
      return { session };
    } catch (error) {
      return { refused: error instanceof errors.JWTExpired ? 'token_expired' : 'not_signed_in' };
    }
  }
}
