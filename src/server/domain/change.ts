/** The one way to make a durable change: in a transaction, stamped with the conversation's versions, told after the commit. */
import { eq, sql } from 'drizzle-orm';
import type { FeedEvent } from '#protocol/event';
import type { StampedEvent } from '../bus/bus.ts';
import type { Tx } from '../db/client.ts';
import { conversations } from '../db/tables.ts';
import type { Deps } from '../deps.ts';

/** The transaction that stamps a row; kept beside each changed row for the resume cursor. */
export const currentXid = sql<string>`pg_current_xact_id()`;

export interface Change {
  readonly tx: Tx;
  /** Collects an event; it is published when, and only if, the transaction commits. */
  emit(conversationId: string, version: number, event: FeedEvent): void;
}

/** Side effects wait for the commit: nothing is published inside a transaction (a rollback would have lied). */
export async function change<T>(deps: Deps, work: (change: Change) => Promise<T>): Promise<T> {
  const pending = new Map<string, StampedEvent[]>();
  const result = await deps.db.transaction((tx) =>
    work({
      tx,
      emit(conversationId, version, event) {
        const events = pending.get(conversationId) ?? [];
        events.push({ version, event });
        pending.set(conversationId, events);
      },
    }),
  );
  for (const [conversationId, events] of pending) deps.bus.publish({ kind: 'events', conversationId, events });
  return result;
}

/** Takes the next `count` versions of a conversation whose row is locked, and returns the first of them. */
export async function takeVersions(tx: Tx, conversationId: string, count: number): Promise<number> {
  const [row] = await tx
    .update(conversations)
    .set({ version: sql`${conversations.version} + ${count}`, changedXid: currentXid })
    .where(eq(conversations.id, conversationId))
    .returning({ version: conversations.version });
  if (!row) throw new TypeError('takeVersions: no such conversation');
  return row.version - count + 1;
}
