/** Codes that stand in for what a person has lost: short-lived, few attempts, kept only as a keyed hash. */
import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import { and, eq, gt, lt, sql } from 'drizzle-orm';
import type { CodePurpose } from '#protocol/account';
import { ParleyError } from '#protocol/errors';
import type { Tx } from '../db/client.ts';
import { accountCodes } from '../db/tables.ts';
import type { Deps } from '../deps.ts';

type Needs = Pick<Deps, 'db' | 'secrets' | 'now'>;
export interface CodeOf {
  readonly userId: string;
  readonly purpose: CodePurpose;
}

const TTL_MS = 15 * 60_000;
const ATTEMPTS = 5;
const HALF = 100_000;

/** Under the pepper: ten digits alone would be found from their hash in no time. */
const hashOf = ({ secrets }: Needs, { userId, purpose }: CodeOf, code: string) =>
  createHmac('sha256', secrets.pepper).update(`account-code|${userId}|${purpose}|${code}`).digest();

const row = ({ userId, purpose }: CodeOf) => and(eq(accountCodes.userId, userId), eq(accountCodes.purpose, purpose));
const half = () => String(randomInt(HALF)).padStart(5, '0');
const wrong = () => new ParleyError('FORBIDDEN', 'invalid_code');

/** Ten digits in two groups. The one before of the same purpose is void. */
export async function issueCode(deps: Needs, of: CodeOf): Promise<string> {
  const [first, second] = [half(), half()];
  const fresh = {
    hash: hashOf(deps, of, first + second),
    attempts: 0,
    expiresAt: new Date(deps.now() + TTL_MS),
  };
  await deps.db
    .insert(accountCodes)
    .values({ userId: of.userId, purpose: of.purpose, ...fresh })
    .onConflictDoUpdate({ target: [accountCodes.userId, accountCodes.purpose], set: fresh });
  return `${first}-${second}`;
}

/** The attempt is counted before it is looked at, and only a right one is given back. @throws ParleyError invalid_code */
export async function checkCode(deps: Needs, of: CodeOf, code: string): Promise<void> {
  const [found] = await deps.db
    .update(accountCodes)
    .set({ attempts: sql`${accountCodes.attempts} + 1` })
    .where(and(row(of), gt(accountCodes.expiresAt, new Date(deps.now())), lt(accountCodes.attempts, ATTEMPTS)))
    .returning({ hash: accountCodes.hash });
  if (!found || !timingSafeEqual(found.hash, hashOf(deps, of, code))) throw wrong();
  await deps.db
    .update(accountCodes)
    .set({ attempts: sql`${accountCodes.attempts} - 1` })
    .where(row(of));
}

/** With what it allows, in one transaction: a code is good for one act. */
export async function spendCode(tx: Tx, deps: Needs, of: CodeOf, code: string): Promise<void> {
  const spent = await tx
    .delete(accountCodes)
    .where(and(row(of), eq(accountCodes.hash, hashOf(deps, of, code))))
    .returning({ purpose: accountCodes.purpose });
  if (spent.length === 0) throw wrong();
}
