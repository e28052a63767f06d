/** Presence as one viewer may see it: people he shares no conversation with, or who hide it, look offline, and never seen. */
import type { PresenceSignal } from '#protocol/signal';
import type { Deps } from '../deps.ts';
import { presenceVisibleTo } from './privacy.ts';

export async function presenceOf(deps: Deps, viewerId: string, userIds: string[]): Promise<PresenceSignal[]> {
  const visible = await presenceVisibleTo(deps.db, viewerId, userIds);
  const known = await deps.presence.get([...new Set(userIds)].filter((id) => visible.has(id)));
  return userIds.map((userId) => ({ userId, ...(known.get(userId) ?? { status: 'offline', lastSeenAt: null }) }));
}
