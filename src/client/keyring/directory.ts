/** Owns the interface to what the keyring asks the server for. Nothing that comes through it is trusted before it is verified. */
import type {
  EpochOfConversation,
  IdentityOfUser,
  Keychain,
  LogPage,
  OwnGrant,
  OwnKeychain,
  OwnWrap,
  StoredSettings,
} from '#protocol/keys';
import type { TrustReport } from './trust.ts';

export interface KeyDirectory {
  /** Whole chains, oldest first; none for people whose newest generation is the `known` one. */
  identities(userIds: string[], known?: Record<string, number>): Promise<IdentityOfUser[]>;
  /** Records with a number greater than `after`, in order. */
  epochs(conversationId: string, after: number): Promise<EpochOfConversation[]>;
  wraps(conversationId: string, from: number): Promise<OwnWrap[]>;
  grants(conversationId: string): Promise<OwnGrant[]>;
  readSettings(): Promise<StoredSettings | null>;
  /** Rejects with `settings_stale` unless the version follows the stored one. */
  saveSettings(settings: StoredSettings): Promise<unknown>;
  /** Of the log of identities: where it ends, and with `after` what follows it. */
  identityLog(after: number | null): Promise<LogPage>;
  /** The other way round: what there is to be shown, and perhaps to be saved. */
  noticed(report: TrustReport): void;
  keychain(conversationId: string): Promise<OwnKeychain | null>;
  /** In place of the one that went so far as `replaces`. */
  putKeychain(keychain: Keychain): Promise<void>;
  /** Wraps made of a long work, for whoever waits. */
  wrapped(conversationId: string, done: number, total: number): void;
}
