/**
 * Sessions that ended before their last access token does. Tokens are verified without the database, so this set is what
 * makes log-out and revocation take effect at once, for HTTP and for sockets alike.
 */
import { gt } from 'drizzle-orm';
import type { Db } from '../db/client.ts';
import { sessions } from '../db/tables.ts';
import type { Logger } from '../observe/log.ts';

/** Each look goes back further than the last one: clocks differ, and the database may have been away for a while. */
const FOLLOW = { everyMs: 1_000, backMs: 5 * 60_000 };

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
    await this.#read(db, this.#now() - this.#ttlMs);
  }

  async #read(db: Db, since: number): Promise<void> {
    const revoked = gt(sessions.revokedAt, new Date(since));
    const rows = await db.select({ id: sessions.id }).from(sessions).where(revoked);
    this.add(rows.map((row) => row.id));
  }

  /**
   * Reads once a second what other nodes have ended. The bus says so sooner, but a node may be cut off from it, and then
   * nobody knows what was lost; this is one probe of an index. Returns the way out.
   */
  follow(db: Db, log: Logger): () => void {
    let isReading = false;
    const timer = setInterval(() => {
      if (isReading) return;
      isReading = true;
      const read = this.#read(db, this.#now() - FOLLOW.backMs).catch((error: unknown) => {
        log.debug({ err: error }, 'ended sessions not read');
      });
      void read.finally(() => {
        isReading = false;
      });
    }, FOLLOW.everyMs).unref();
    return () => clearInterval(timer);
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
    const fresh = sessionIds.filter((id) => !this.#ended.has(id));
    for (const id of fresh) this.#ended.set(id, now + this.#ttlMs);
    if (fresh.length > 0) for (const listener of this.#listeners) listener(fresh);
  }

  onRevoked(listener: (sessionIds: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
