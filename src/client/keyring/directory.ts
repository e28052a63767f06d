/** Owns the interface to what the keyring asks the server for. Nothing that comes through it is trusted before it is verified. */
import type { EpochOfConversation, IdentityOfUser, OwnGrant, OwnWrap } from '#protocol/keys';

export interface KeyDirectory {
  /** Whole chains, oldest first. */
  identities(userIds: string[]): Promise<IdentityOfUser[]>;
  /** Records with a number greater than `after`, in order. */
  epochs(conversationId: string, after: number): Promise<EpochOfConversation[]>;
  wraps(conversationId: string, from: number): Promise<OwnWrap[]>;
  grants(conversationId: string): Promise<OwnGrant[]>;
}
