/**
 * Sessions that ended before their last access token does. Tokens are verified without the database, so this set is what
 * makes log-out and revocation take effect at once, for HTTP and for sockets alike.
 */
import { gt } from 'drizzle-orm';
import type { Db } from '../db/client.ts';
import { sessions } from '../db/tables.ts';

export class Revocations {
  /** Session id -> when its last token has expired anyway. */
  readonly #ended = new Map<string, number>();
  readonly #listeners = new Set<(sessionIds: readonly string[]) => void>();
  readonly #ttlMs: number;
  readonly #now: () => number;

  constructor(ttlS: number, now: () => number) {
    // A minute more than a token lives: clocks of two nodes are not the same.
    this.#ttlMs = ttlS * 1000 + 60_000;
    this.#now = now;
  }

  /** What was revoked before this process began and may still have a living token. */
  async load(db: Db): Promise<void> {
    const since = new Date(this.#now() - this.#ttlMs);
    const rows = await db.select({ id: sessions.id }).from(sessions).where(gt(sessions.revokedAt, since));
    this.add(rows.map((row) => row.id));
  }

  has(sessionId: string): boolean {
    return this.#ended.has(sessionId);
  }

  /** Call after the commit. Listeners (the sockets) are told in the same tick. */
  add(sessionIds: readonly string[]): void {
    if (sessionIds.length === 0) return;
    const now = this.#now();
    for (const [id, until] of this.#ended) {
      if (until > now) break;
      this.#ended.delete(id);
    }
    for (const id of sessionIds) this.#ended.set(id, now + this.#ttlMs);
    for (const listener of this.#listeners) listener(sessionIds);
  }

  onRevoked(listener: (sessionIds: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
