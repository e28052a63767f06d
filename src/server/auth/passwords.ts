/**
 * What is kept of a password: bcrypt over HMAC(pepper, authSecret). The secret itself was stretched by the client with
 * Argon2id, so bcrypt guards little that is not guarded; the pepper makes a stolen database useless for guessing.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/bcrypt';
import { Gate, GateFull } from '#lib/gate';
import { AUTH_SECRET } from '#protocol/auth';
import { ParleyError } from '#protocol/errors';
import type { Kdf } from '#protocol/keys';

export const BCRYPT_COST = 12;
/** Each takes a quarter of a second of a pool of four threads that also verifies tokens: leave it half. */
const AT_ONCE = 2;
const WAITING = 400;

export class Passwords {
  readonly #pepper: Buffer;
  readonly #cost: number;
  readonly #gate = new Gate(AT_ONCE, WAITING);
  /** Of nothing anybody knows. Compared with when there is no such login, so that the answer takes as long. */
  readonly #nobody: Promise<string>;

  constructor(pepper: Buffer, cost = BCRYPT_COST) {
    this.#pepper = pepper;
    this.#cost = cost;
    this.#nobody = hash(randomBytes(32).toString('base64'), cost);
  }

  /** @throws ParleyError BAD_REQUEST password_not_derived, for whatever is not an authSecret: a raw password by mistake. */
  requireDerived(password: string): void {
    if (!AUTH_SECRET.test(password)) throw new ParleyError('BAD_REQUEST', 'password_not_derived');
  }

  hash(authSecret: string): Promise<string> {
    return this.#bounded(() => hash(this.#peppered(authSecret), this.#cost));
  }

  /** @param stored null when there is no such account; takes the same time and is always false. */
  verify(authSecret: string, stored: string | null): Promise<boolean> {
    return this.#bounded(async () => {
      const right = await verify(this.#peppered(authSecret), stored ?? (await this.#nobody));
      return right && stored !== null;
    });
  }

  /** Key-derivation parameters for a login that does not exist: always the same ones, and none can tell them from real ones. */
  pretendKdf(login: string): Kdf {
    const salt = createHmac('sha256', this.#pepper).update(`kdf-salt|${login.toLowerCase()}`).digest();
    return { alg: 'argon2id', m: 65_536, t: 3, p: 1, salt: salt.subarray(0, 16).toString('base64') };
  }

  /** 44 characters: bcrypt would ignore everything behind the 72nd. */
  #peppered(authSecret: string): string {
    return createHmac('sha256', this.#pepper).update(authSecret).digest('base64');
  }

  async #bounded<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await this.#gate.run(task);
    } catch (error) {
      if (error instanceof GateFull)
        throw new ParleyError('SERVICE_UNAVAILABLE', 'overloaded', { retryAfterMs: 5_000 });
      throw error;
    }
  }
}
