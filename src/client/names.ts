/** Owns what is kept of names for notifications: who people are and how groups are called, as this device knows them. */
import type { ChatState } from './types.ts';

/** Sealed on the device, and wiped at log-out. */
export interface Names {
  /** By user id. */
  people: Record<string, string>;
  /** By conversation id; groups only. */
  groups: Record<string, string>;
}

export function namesOf({ users, conversations }: ChatState): Names {
  const groups = Object.values(conversations).filter(({ type }) => type === 'group');
  return {
    people: Object.fromEntries(Object.values(users).map(({ id, displayName }) => [id, displayName])),
    groups: Object.fromEntries(groups.map(({ id, title }) => [id, title ?? ''])),
  };
}
