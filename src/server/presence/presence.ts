/** Who is online: entries per connection, one status per person, and only transitions are told. */
import type { PresenceStatus } from '#protocol/signal';

/** A reload must not look like leaving and coming back; the contract allows ten seconds. */
export const GRACE_MS = 4_000;

export interface PersonPresence {
  readonly status: PresenceStatus;
  /** ISO time; null while the person is not offline. */
  readonly lastSeenAt: string | null;
}

export interface Presence {
  /** A socket was authenticated. Returns what to call when it is gone. */
  connect(userId: string, sessionId: string): () => void;
  /** What a device says of itself; kept for the session, and the most present one wins. */
  set(userId: string, sessionId: string, status: PresenceStatus): void;
  /** Whether he is present on a device that is connected to this node. The other nodes are not asked. */
  isHere(userId: string): boolean;
  get(userIds: string[]): Promise<Map<string, PersonPresence>>;
  close(): Promise<void>;
}

const RANK: Record<PresenceStatus, number> = { offline: 0, away: 1, online: 2 };
export const mostPresent = (statuses: Iterable<PresenceStatus>): PresenceStatus => {
  let best: PresenceStatus = 'offline';
  for (const status of statuses) if (RANK[status] > RANK[best]) best = status;
  return best;
};
