/**
 * Owns what becomes of things done to what has not gone out yet. Tabs only ever add entries; what belongs together is folded
 * here, and only as long as no attempt was made: once one was, its bytes may be stored, and what follows is a real change. Pure.
 */
import { type Entry, isSend, targetOf } from './entry.ts';

export interface Folded {
  /** Written anew: to be sealed and kept again. */
  changed: Entry[];
  dropped: Entry[];
}

/** The entries of one conversation, in their order. */
export function fold(entries: readonly Entry[]): Folded {
  const changed = new Map<string, Entry>();
  const dropped = new Set<Entry>();
  const left = () => entries.filter((entry) => !dropped.has(entry));

  for (const entry of entries) {
    if (entry.attempted) continue;
    const before = left().filter((other) => other.id < entry.id && targetOf(other) === targetOf(entry));
    const movable = before.filter((other) => !other.attempted);
    const send = movable.find(isSend);
    switch (entry.act.kind) {
      case 'edit': {
        // Only the last text counts.
        for (const other of movable) if (other.act.kind === 'edit') dropped.add(other);
        if (!send) break;
        const now = changed.get(send.id) ?? send;
        if (now.act.kind !== 'send') break;
        const act = { ...now.act, payload: { ...now.act.payload, body: entry.act.body } };
        changed.set(send.id, { ...now, act, sealed: null, failed: null });
        dropped.add(entry);
        break;
      }
      case 'delete': {
        for (const other of movable) dropped.add(other);
        // What never was needs no tombstone.
        if (send) dropped.add(entry);
        break;
      }
      case 'unreact': {
        const { emoji } = entry.act;
        const reaction = movable.findLast(({ act }) => act.kind === 'react' && act.emoji === emoji);
        if (!reaction) break;
        dropped.add(reaction);
        dropped.add(entry);
        break;
      }
      case 'send':
      case 'react':
    }
  }
  const kept = [...changed.values()].filter((entry) => ![...dropped].some(({ id }) => id === entry.id));
  return { changed: kept, dropped: [...dropped] };
}
