/**
 * Owns everything secret of a signed-in person: keys, what they open and seal, and what this device remembers.
 * In the browser it lives in a worker and this class is its whole surface; there is no way to ask it for a key.
 */
import type { FileRange } from '#crypto/file-layout';
import { type Cost, type PasswordChange, TODAY } from '#crypto/index';
import { type Bytes, envelopeHash, fromBase64, parseEnvelope, toBase64 } from '#crypto/verify';
import type { RecoverableAccount, ResettableAccount } from '#protocol/account';
import type { Account as StoredAccount } from '#protocol/auth';
import type { Conversation } from '#protocol/conversation';
import type { Epoch, Grant, Kdf, StoredSettings } from '#protocol/keys';
import type { Message } from '#protocol/message';
import type { Names } from '../names.ts';
import type { Storage } from '../storage/storage.ts';
import type { ChangeLine } from '../types.ts';
import { AccountChanges } from './account-changes.ts';
import { Accounts } from './accounts.ts';
import { Alarms } from './alarms.ts';
import { Author, type Beginning, type Change } from './author.ts';
import { chronicle } from './chronicle.ts';
import { Device } from './device.ts';
import type { KeyDirectory } from './directory.ts';
import { EpochLog } from './epoch-log.ts';
import { Files, type OpenJob, type SealJob, type Turn } from './files.ts';
import { reasonOf } from './error.ts';
import { Identities } from './identities.ts';
import { IdentityLog } from './identity-log.ts';
import { type OpenedMessage, Opener } from './opener.ts';
import { Pins } from './pins.ts';
import { type MessageDraft, type ReactionDraft, type Sealed, Sealer } from './sealer.ts';
import { Seen } from './seen.ts';
import { type OpenedTitle, Titles } from './titles.ts';
import { Settings } from './settings.ts';
import { type SafetyNumber, TrustKeeper, type TrustReport } from './trust.ts';

const NAMES = 'names';

export class Keyring {
  readonly #directory: KeyDirectory;
  readonly #device: Device;
  readonly #accounts: Accounts;
  readonly #changes: AccountChanges;
  readonly #alarms: Alarms;
  readonly #pins: Pins;
  readonly #settings: Settings;
  readonly #identities: Identities;
  readonly #identityLog: IdentityLog;
  readonly #trust: TrustKeeper;
  readonly #log: EpochLog;
  readonly #seen = new Seen();
  readonly #titles: Titles;
  readonly #files: Files;
  readonly #opener: Opener;
  readonly #sealer: Sealer;
  readonly #author: Author;

  /** @param cost what stretching a password should cost; tests look ahead */
  constructor(storage: Storage, directory: KeyDirectory, cost: Cost = TODAY) {
    const me = () => this.#accounts.me;
    this.#directory = directory;
    this.#device = new Device(storage);
    this.#titles = new Titles(this.#device);
    this.#files = new Files(this.#device);
    this.#accounts = new Accounts(this.#device, cost);
    const tell = () =>
      void this.#trust.report().then(
        (report) => directory.noticed(report),
        () => {},
      );
    this.#alarms = new Alarms(tell);
    this.#pins = new Pins(this.#device, tell);
    const [device, alarms, pins] = [this.#device, this.#alarms, this.#pins];
    this.#settings = new Settings({ directory, device, pins, alarms, me });
    const resealSettings = (nextKey: Uint8Array) => this.#settings.reseal(nextKey);
    const takeSettings = (stored: StoredSettings | null) =>
      this.#settings
        .take(stored)
        .catch(reasonOf)
        .then(() => {});
    this.#changes = new AccountChanges({ accounts: this.#accounts, resealSettings, takeSettings });
    this.#identities = new Identities({ directory, device, pins, alarms, me });
    this.#identityLog = new IdentityLog({ directory, device, alarms, me });
    this.#trust = new TrustKeeper({ identities: this.#identities, pins, alarms, me });
    const identities = this.#identities;
    this.#log = new EpochLog({ directory, device: this.#device, identities, me });
    const [seen, identityLog] = [this.#seen, this.#identityLog];
    this.#opener = new Opener({ log: this.#log, identities, identityLog, seen, titles: this.#titles });
    this.#sealer = new Sealer({ log: this.#log, identities, identityLog, seen, me });
    const onWrapped = directory.wrapped.bind(directory);
    this.#author = new Author({ log: this.#log, identities, me, onWrapped });
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

  /** @returns the same password under a lock of today's strength, when the one at the server is older. */
  async finishLogin(userId: string, account: StoredAccount): Promise<PasswordChange | null> {
    const upgrade = await this.#accounts.finishLogin(userId, account);
    // Before anybody's keys are seen here for the first time. Settings that were taken back are an alarm, and no reason to stay out.
    await this.#settings.take(account.settings).catch(reasonOf);
    return upgrade;
  }

  async changePassword(account: StoredAccount, next: string) {
    return this.#changes.changePassword(account, next);
  }

  /** The one key that a person is shown, once. */
  async newRecoveryKey(account: StoredAccount) {
    return this.#changes.newRecoveryKey(account);
  }

  async rotateIdentity(account: StoredAccount, createdMs: number) {
    return this.#changes.rotate(account, createdMs);
  }

  async rotateHere(password: string, createdMs: number) {
    return this.#changes.rotateHere(password, createdMs);
  }

  async recoveryProof(recoveryKey: string): Promise<string> {
    return this.#changes.recoveryProof(recoveryKey);
  }

  async recover(recoveryKey: string, account: RecoverableAccount, password: string) {
    return this.#changes.recover(recoveryKey, account, password);
  }

  async resetAccount(account: ResettableAccount, password: string, createdMs: number) {
    return this.#changes.reset(account, password, createdMs);
  }

  /** Whether keys that were offered, and of which no answer came, turn out to be mine. */
  async settleChange(): Promise<boolean> {
    if (!(await this.#accounts.hasProposal())) return false;
    const { userId } = this.#accounts.me;
    const chain = (await this.#directory.identities([userId])).filter((link) => link.userId === userId);
    const newest = chain.toSorted((a, b) => a.gen - b.gen).at(-1);
    return newest !== undefined && this.#accounts.settle(newest.record);
  }

  /** My generation that conversations may still be without, since a rotation that this device has made. */
  /** Whether the members' list that is in force still names older keys of mine: as signed, whatever the server says. */
  async isBehind(conversationId: string): Promise<boolean> {
    const { head } = await this.#log.sync(conversationId);
    const { userId, gen } = this.#accounts.me;
    return (head?.members.get(userId)?.gen ?? gen) < gen;
  }

  async unrotated(): Promise<number | null> {
    return this.#accounts.unrotated();
  }

  /** All of them have followed. */
  async rotated(gen: number): Promise<void> {
    return this.#accounts.rotated(gen);
  }

  /** After the server has taken a rotation, a recovery or a reset. */
  async finishChange(): Promise<void> {
    return this.#changes.finish();
  }

  /** My id when this device remembers me. */
  async restore(): Promise<string | undefined> {
    return this.#accounts.restore();
  }

  async wipe(): Promise<void> {
    this.#accounts.lock();
    this.#changes.forget();
    this.#identities.forget();
    this.#pins.forget();
    this.#alarms.forget();
    this.#identityLog.forget();
    this.#log.forget();
    this.#seen.forget();
    this.#titles.forget();
    this.#files.forget();
    await this.#device.wipe();
  }

  /** Takes over what my other devices have decided about people's keys, and tells them what was decided here. */
  async syncSettings(): Promise<void> {
    return this.#settings.sync();
  }

  /** Whether the server's log of identities has only grown, and names no keys of mine that I do not have. */
  async checkLog(): Promise<void> {
    return this.#identityLog.check();
  }

  /** What another tab has decided. */
  async rereadTrust(): Promise<void> {
    return this.#pins.reread();
  }

  async trust(): Promise<TrustReport> {
    return this.#trust.report();
  }

  /** Asks anew for the keys of those among them that were compared once. */
  async recheck(userIds: string[]): Promise<void> {
    return this.#trust.recheck(userIds);
  }

  async safetyNumber(userId: string): Promise<SafetyNumber> {
    return this.#trust.safetyNumber(userId);
  }

  /** Whether the code on the other one's screen names the same two identities as mine. */
  async matchesCode(userId: string, code: string): Promise<boolean> {
    return this.#trust.matchesCode(userId, code);
  }

  /** `number` is the one that was compared: keys that came while two people were talking are not the ones they compared. */
  async verify(userId: string, number: string): Promise<void> {
    return this.#trust.verify(userId, number);
  }

  /** Back to "not compared": for a mistake, or to go on with keys that were replaced. */
  async unverify(userId: string): Promise<void> {
    return this.#trust.unverify(userId);
  }

  async begin(beginning: Beginning & { title?: string }): Promise<{ epoch: Epoch; title: string | null }> {
    const { conversationId, createdMs, title } = beginning;
    const { epoch, conversation } = await this.#author.begin(beginning);
    if (title === undefined) return { epoch, title: null };
    const draft = { id: conversationId, conversationId, createdMs, type: 'meta' as const, payload: { title } };
    return { epoch, title: (await this.#sealer.sealIn(conversation, draft)).contentEncrypted };
  }

  /** The grant is for whoever is added with the history. */
  async change(change: Change): Promise<{ epoch: Epoch; grant: Grant | null }> {
    return this.#author.change(change);
  }

  /** Follows the conversation's epochs to the newest. False when I am in it, and its key has not reached me. */
  async sync(conversationId: string): Promise<boolean> {
    const conversation = await this.#log.sync(conversationId);
    return conversation.headKey !== undefined || !conversation.isMine(conversation.states.length - 1);
  }

  /** What happened to people and keys, up to this epoch at least. */
  async changes(conversationId: string, epoch: number): Promise<ChangeLine[]> {
    return chronicle(await this.#log.upTo(conversationId, epoch), this.#identities);
  }

  async seal(draft: MessageDraft): Promise<Sealed> {
    return this.#sealer.seal(draft);
  }

  /** What I wrote is what I have seen: the next message names it, and an answer to it says what it was. */
  async noteSent(
    { conversationId, id }: { conversationId: string; id: string },
    seq: number,
    { contentEncrypted }: Pick<Sealed, 'contentEncrypted'>,
  ): Promise<void> {
    if (this.#seen.message(id)) return;
    const hash = toBase64(await envelopeHash(parseEnvelope(fromBase64(contentEncrypted))));
    this.#seen.note({ conversationId, messageId: id, seq, revision: 0, hash });
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

  async sealPiece(job: SealJob, piece: number, content: Blob): Promise<Bytes> {
    return this.#files.seal(job, piece, content);
  }

  /** Once all pieces are sealed. */
  async sealedHash(job: SealJob): Promise<string> {
    return this.#files.sealedHash(job);
  }

  async keptPiece(fileId: string, piece: number): Promise<Bytes | undefined> {
    return this.#files.kept(fileId, piece);
  }

  async dropPieces(fileIds: string[]): Promise<void> {
    return this.#files.drop(fileIds);
  }

  async dropOlderPieces(than: string, but: string[]): Promise<void> {
    return this.#files.dropOlder(than, but);
  }

  /** In their order: the last one checks the whole. */
  async openPiece(job: OpenJob, turn: Turn, sealed: Bytes): Promise<Bytes> {
    return this.#files.openPiece(job, turn, sealed);
  }

  async openRange(job: OpenJob, range: FileRange, sealed: Bytes): Promise<Bytes> {
    return this.#files.open(job, range, sealed);
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
