/**
 * Owns everything secret of a signed-in person: keys, what they open and seal, and what this device remembers.
 * In the browser it lives in a worker and this class is its whole surface; there is no way to ask it for a key.
 */
import type { Account as StoredAccount } from '#protocol/auth';
import type { Conversation } from '#protocol/conversation';
import type { Epoch, Kdf } from '#protocol/keys';
import type { Message } from '#protocol/message';
import type { Names } from '../names.ts';
import type { Storage } from '../storage/storage.ts';
import { Accounts } from './accounts.ts';
import { Author, type Beginning, type Change } from './author.ts';
import { Device } from './device.ts';
import type { KeyDirectory } from './directory.ts';
import { EpochLog } from './epoch-log.ts';
import { Identities } from './identities.ts';
import { type OpenedMessage, type OpenedTitle, Opener } from './opener.ts';
import { type MessageDraft, type ReactionDraft, type Sealed, Sealer } from './sealer.ts';
import { Seen } from './seen.ts';

const NAMES = 'names';

export class Keyring {
  readonly #device: Device;
  readonly #accounts: Accounts;
  readonly #identities: Identities;
  readonly #log: EpochLog;
  readonly #seen = new Seen();
  readonly #opener: Opener;
  readonly #sealer: Sealer;
  readonly #author: Author;

  constructor(storage: Storage, directory: KeyDirectory) {
    const me = () => this.#accounts.me;
    this.#device = new Device(storage);
    this.#accounts = new Accounts(this.#device);
    this.#identities = new Identities(directory, this.#device, me);
    const identities = this.#identities;
    this.#log = new EpochLog({ directory, device: this.#device, identities, me });
    this.#opener = new Opener({ log: this.#log, identities, seen: this.#seen });
    this.#sealer = new Sealer({ log: this.#log, seen: this.#seen, me });
    this.#author = new Author({ log: this.#log, identities, me });
  }

  async register(input: { userId: string; password: string; createdMs: number }) {
    return this.#accounts.register(input);
  }

  async finishRegistration(): Promise<void> {
    return this.#accounts.finishRegistration();
  }

  /** The secret that goes to the server in place of the password. */
  async prepareLogin(password: string, kdf: Kdf): Promise<string> {
    return this.#accounts.prepareLogin(password, kdf);
  }

  async finishLogin(userId: string, account: StoredAccount): Promise<void> {
    return this.#accounts.finishLogin(userId, account);
  }

  /** My id when this device remembers me. */
  async restore(): Promise<string | undefined> {
    return this.#accounts.restore();
  }

  async wipe(): Promise<void> {
    this.#accounts.lock();
    this.#identities.forget();
    this.#log.forget();
    this.#seen.forget();
    await this.#device.wipe();
  }

  async begin(beginning: Beginning & { title?: string }): Promise<{ epoch: Epoch; title: string | null }> {
    const { conversationId, createdMs, title } = beginning;
    const { epoch, conversation } = await this.#author.begin(beginning);
    if (title === undefined) return { epoch, title: null };
    const draft = { id: conversationId, conversationId, createdMs, type: 'meta' as const, payload: { title } };
    return { epoch, title: (await this.#sealer.sealIn(conversation, draft)).contentEncrypted };
  }

  async change(change: Change): Promise<Epoch> {
    return this.#author.change(change);
  }

  /** Follows the conversation's epochs to the newest. */
  async sync(conversationId: string): Promise<void> {
    await this.#log.sync(conversationId);
  }

  async seal(draft: MessageDraft): Promise<Sealed> {
    return this.#sealer.seal(draft);
  }

  async sealReaction(draft: ReactionDraft): Promise<Sealed & { tag: string }> {
    return this.#sealer.sealReaction(draft);
  }

  /** In the order given. Rejects only when keys could not be asked for; content that fails a check comes out `unreadable`. */
  async openMessages(messages: Message[]): Promise<OpenedMessage[]> {
    if (messages.length > 1) await this.#identities.prefetch(messages.map(({ senderId }) => senderId));
    return Promise.all(messages.map((message) => this.#opener.openMessage(message)));
  }

  async openTitles(conversations: Pick<Conversation, 'id' | 'title'>[]): Promise<OpenedTitle[]> {
    return Promise.all(conversations.map((conversation) => this.#opener.openTitle(conversation)));
  }

  /** Whether what is kept outlives this very chat, and may be changed by another tab. */
  async isLasting(): Promise<boolean> {
    return this.#device.lasting;
  }

  /** Sealed under the device key. Gives the ids of all that is kept now: another tab may have written before. */
  async keepUnsent(id: string, entry: unknown): Promise<string[]> {
    if (!this.#device.lasting) return [id];
    await this.#device.put('outbox', id, entry);
    return this.#device.names('outbox');
  }

  async dropUnsent(id: string): Promise<void> {
    if (this.#device.lasting) await this.#device.delete('outbox', id);
  }

  async unsent(): Promise<unknown[]> {
    return this.#device.all('outbox');
  }

  async keepNames(names: Names): Promise<void> {
    if (this.#device.lasting) await this.#device.put('sealed', NAMES, names);
  }

  async names(): Promise<Names | undefined> {
    return (await this.#device.get('sealed', NAMES)) as Names | undefined;
  }

  async oneUnsent(id: string): Promise<unknown> {
    return this.#device.get('outbox', id);
  }
}
