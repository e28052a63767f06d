/** Owns a directory that asks nobody: it answers from what this device has kept. What it does not know is unreadable. */
import type { IdentityOfUser } from '#protocol/keys';
import type { StoredConversation } from './conversation-keys.ts';
import type { Device } from './device.ts';
import type { KeyDirectory } from './directory.ts';
import { epochsPlace } from './epoch-log.ts';
import { identityPlace } from './identities.ts';

export function keptDirectory(device: Device): KeyDirectory {
  return {
    async identities(userIds) {
      const chains = await Promise.all(userIds.map((userId) => device.get('sealed', identityPlace(userId))));
      return chains.flatMap((chain) => (chain as IdentityOfUser[] | undefined) ?? []);
    },
    // The newest epoch is kept already, and asked for only to see that the past is still the same.
    async epochs(conversationId, after) {
      const kept = (await device.get('sealed', epochsPlace(conversationId))) as StoredConversation | undefined;
      const head = kept?.epochs[after + 1];
      return head ? [{ epoch: after + 1, sig: '', ...head }] : [];
    },
    wraps: async () => [],
    grants: async () => [],
    identityLog: async () => ({ head: null, entries: [], mine: [] }),
    readSettings: async () => null,
    saveSettings: async () => {},
    noticed: () => {},
    keychain: async () => null,
    putKeychain: async () => {},
    wrapped: () => {},
  };
}
