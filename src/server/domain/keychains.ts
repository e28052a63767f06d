/** Keychains: each person's own epoch keys of a conversation in one sealed blob, which takes the place of most wraps. */
import { and, eq, inArray, lt, lte, sql } from 'drizzle-orm';
import { bytesEqual, fromBase64, toBase64 } from '#crypto/verify';
import { ParleyError } from '#protocol/errors';
import type { Keychain, OwnKeychain } from '#protocol/keys';
import type { Db } from '../db/client.ts';
import { epochKeyWraps, keychains } from '../db/tables.ts';
import type { Deps } from '../deps.ts';
import { lockConversation } from './access.ts';
import { change } from './change.ts';

/** Of those conversations that the caller has one for. It opens nothing that was not his, so leaving takes nothing away. */
export async function keychainsOf(db: Db, userId: string, conversationIds: string[]): Promise<OwnKeychain[]> {
  const rows = await db
    .select({
      conversationId: keychains.conversationId,
      throughEpoch: keychains.throughEpoch,
      data: keychains.data,
    })
    .from(keychains)
    .where(and(eq(keychains.userId, userId), inArray(keychains.conversationId, conversationIds)));
  return rows.map((row) => ({ ...row, data: toBase64(Uint8Array.from(row.data)) }));
}

/** Compared and set. The wraps that it stands for go, all but the newest: that one is a second way in. */
export async function putKeychain(deps: Deps, userId: string, keychain: Keychain): Promise<void> {
  await change(deps, async ({ tx }) => {
    const { conversationId, throughEpoch, replaces } = keychain;
    const membership = await lockConversation(tx, userId, conversationId);
    const mine = and(eq(keychains.userId, userId), eq(keychains.conversationId, conversationId));
    const [known] = await tx.select().from(keychains).where(mine);
    const data = fromBase64(keychain.data);
    if (known && known.throughEpoch === throughEpoch && bytesEqual(known.data, data)) return;
    if ((known?.throughEpoch ?? null) !== replaces || throughEpoch < (replaces ?? 0))
      throw new ParleyError('CONFLICT', 'keychain_stale');
    if (throughEpoch > membership.keyEpoch)
      throw new ParleyError('BAD_REQUEST', 'bad_format', { message: 'the keychain is ahead of its conversation' });
    const values = { throughEpoch, data, updatedAt: sql`now()` };
    await tx
      .insert(keychains)
      .values({ userId, conversationId, ...values })
      .onConflictDoUpdate({ target: [keychains.userId, keychains.conversationId], set: values });
    const wraps = and(eq(epochKeyWraps.userId, userId), eq(epochKeyWraps.conversationId, conversationId));
    const [newest] = await tx
      .select({ epoch: sql<number>`max(${epochKeyWraps.epoch})`.mapWith(Number) })
      .from(epochKeyWraps)
      .where(wraps);
    await tx
      .delete(epochKeyWraps)
      .where(and(wraps, lte(epochKeyWraps.epoch, throughEpoch), lt(epochKeyWraps.epoch, newest?.epoch ?? 0)));
  });
}
