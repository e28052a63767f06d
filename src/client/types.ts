/** The public shape of the SDK: what a chat offers and what its stores hold. Data only; behaviour is in the files beside it. */
import type { TRPCClient, TRPCLink } from '@trpc/client';
import type { StoreApi } from 'zustand/vanilla';
import type { ConversationType } from '#protocol/conversation';
import type { MessageType } from '#protocol/message';
import type { Role } from '#protocol/participant';
import type { PresenceStatus } from '#protocol/signal';
import type { Me, User } from '#protocol/user';
import type { AppRouter } from '#server/router';
import type { MessageTable } from './state/message-table.ts';

export type { AppRouter, ConversationType, Me, MessageType, PresenceStatus, Role, User };

/** What an opened envelope says. Content that fails a check is `unreadable`, never text (P30). */
export type Content =
  /** `body` is the caption when there are files. */
  | { kind: 'text'; body: string; replyTo: string | null; files?: readonly FileView[] }
  | { kind: 'deleted' }
  /** `reason` is a CryptoError code such as `BAD_SIGNATURE` or `NO_EPOCH_KEY`. */
  | { kind: 'unreadable'; reason: string }
  | { kind: 'unsupported' };

/** What a message says of a file, as its sender said it; `chat.fetchFile` and `chat.readFile` open it. */
export interface FileView {
  id: string;
  conversationId: string;
  /** `image`: a picture that browsers show; `voice`: recorded in the app. */
  kind: 'image' | 'voice' | 'file';
  name: string;
  mime: string;
  /** Bytes. */
  size: number;
  /** Pixels, as it is looked at. */
  width: number | null;
  height: number | null;
  durationMs: number | null;
  /** A blur of it, while it loads (github.com/woltapp/blurhash). */
  blurhash: string | null;
  /** Loudness over time, 0 to 100. */
  waveform: readonly number[] | null;
  /** What is to be seen, for those who cannot see it. */
  alt: string | null;
  thumbnail: FileView | null;
  /** base64; whoever has it and the sealed file can read it. */
  key: string;
  sha256: string;
}

/** A file to be sent. Everything that is known of it goes inside the message; the server learns its padded size. */
export interface OutgoingFile {
  file: Blob;
  name: string;
  voice?: boolean;
  width?: number;
  height?: number;
  durationMs?: number;
  blurhash?: string;
  waveform?: readonly number[];
  alt?: string;
  thumbnail?: { file: Blob; width: number; height: number };
}

/** Bytes, of all files of a message together or of the one that is fetched. */
export interface Progress {
  done: number;
  total: number;
}

/** How sure I am of somebody's keys: not compared; compared, or signed by those that were; replaced after having been compared. */
export type Trust = 'unverified' | 'verified' | 'changed';

/** What no honest server does, and this device has noticed. */
export type Alarm = 'settings_rollback' | 'own_identity_rollback' | 'foreign_identity' | 'split_view';

export interface SafetyNumber {
  /** Twelve groups of five digits, the same on both sides. */
  number: string;
  /** The same for cameras: what my screen shows, the other one's reads. */
  code: string;
  state: Trust;
}

/** Something that happened to people or keys, as somebody has signed it. It belongs after the message with that `seq`. */
export interface ChangeLine {
  epoch: number;
  seq: number;
  /** ISO time, by the author's clock. */
  at: string;
  authorId: string;
  changes: PersonChange[];
}

export type PersonChange =
  | { kind: 'began' | 'added'; userId: string }
  /** `left` by themselves; `gone`: left, or removed by the author. */
  | { kind: 'left' | 'gone'; userId: string }
  | { kind: 'role'; userId: string; role: Role }
  /** New keys: signed by those before, or not. */
  | { kind: 'rekeyed' | 'reset'; userId: string }
  /** The group got this name. Only the newest name is known. */
  | { kind: 'named'; userId: string; title: string };

/** Who gave a group its name, when, and after which message; as whoever sealed it last says. */
export interface Naming {
  by: string;
  at: string;
  seq: number;
}

export interface ReactionView {
  tag: string;
  /** Null when the sample could not be verified. */
  emoji: string | null;
  count: number;
  mine: boolean;
  userIds: string[];
}

/** Where my own message stands on its way to the server; `stored` once it has a seq. Everybody else's are `stored`. */
export type SendState =
  | { step: 'waiting' }
  | { step: 'sending' }
  | { step: 'failed'; reason: string }
  | { step: 'stored' };

/** What I have done to a message and the server does not know yet, or has refused: waiting unless `failed` says why. */
export type ActView = { id: string; failed: string | null } & (
  | { kind: 'edit'; body: string; at: string }
  | { kind: 'delete' }
  | { kind: 'react'; emoji: string }
  | { kind: 'unreact'; emoji: string | null; tag: string | null }
);

/**
 * What a message says of others and is not so here. `missing`: its author had seen one that the server has not given. `other`: one that
 * is not what the server has given in its place. `answer`: it answers something else than the message of that id.
 */
export type Doubt = 'missing' | 'other' | 'answer';

export interface MessageView {
  id: string;
  conversationId: string;
  /** Null until the server has stored it. */
  seq: number | null;
  senderId: string;
  type: MessageType;
  content: Content;
  isEdited: boolean;
  isDeleted: boolean;
  /** ISO time. */
  createdAt: string;
  editedAt: string | null;
  reactions: ReactionView[];
  send: SendState;
  /** In the order in which they will go out; what they make of the message is in it already. */
  acts: readonly ActView[];
  version: number;
  firstKeyEpoch: number;
  /** Of its envelope: 0 when new, one more with each edit and the tombstone. */
  revision: number;
  doubts?: readonly Doubt[];
}

export interface ParticipantView {
  user: User;
  role: Role;
  joinedAt: string;
  joinedSeq: number;
  deliveredSeq: number;
  readSeq: number;
  version: number;
}

/** Which messages the unread count has in it already: all up to `upTo`, and those `above` it that came early, as ranges. */
export interface Tally {
  upTo: number;
  above: readonly (readonly [first: number, last: number])[];
}

/** `avatar`: a data URL of at most PICTURE_BYTES of webp, jpeg or png. */
export interface AboutGroup {
  title?: string;
  topic?: string;
  avatar?: string;
}

export interface ConversationView {
  id: string;
  type: ConversationType;
  /** The opened title of a group; null for direct conversations and while it cannot be verified. */
  title: string | null;
  /** What a group is about, if its moderators say so; sealed with the title. */
  topic: string | null;
  /** The picture of a group, a data URL; sealed with the title. */
  avatar: string | null;
  /** Null while it has its first name. */
  naming: Naming | null;
  createdBy: string;
  isActive: boolean;
  lastMessageAt: string;
  lastSeq: number;
  settings: Record<string, unknown>;
  participants: ParticipantView[];
  lastMessage: MessageView | null;
  unreadCount: number;
  /** ISO time until which I do not want to be told of it; it may have passed (`isMuted`). Null: I do. */
  mutedUntil: string | null;
  keyEpoch: number;
  version: number;
  /** My own role and read watermark, taken out of `participants` for cheap selectors. */
  myRole: Role;
  myReadSeq: number;
  /** Of the envelope of the title; the next title is one more. */
  titleRevision: number;
  /** Somebody left or has new keys: whoever sends next rotates the epoch. */
  rekeyRequired: boolean;
  tally: Tally;
  /** The unread count could not be worked out from what is loaded: ask the server. */
  unreadStale: boolean;
}

export interface Layer {
  acts: readonly ActView[];
  /** Absent while the message is not loaded. */
  base: MessageView | undefined;
  shown: MessageView | undefined;
}

/** The loaded part of one conversation's history: a window that is contiguous in seq. */
export interface Timeline {
  /** Stored messages, oldest first. */
  ids: string[];
  /** My unsent messages, in the order in which they will go out; shown after `ids`. */
  pending: string[];
  /** `byId.get(id)`. */
  byId: MessageTable;
  /** By message, what of mine lies over it until the server has it, and the message without that. */
  layers: Readonly<Record<string, Layer>>;
  hasOlder: boolean;
  /** True after a jump into the past: the newest messages are not loaded. */
  hasNewer: boolean;
  loading: 'none' | 'first' | 'older' | 'newer';
  /** Why the last load failed; null when it did not. */
  problem: string | null;
}

export type ConnectionState =
  /** Nobody is signed in, or the device says that it has no network. It is tried now and then all the same. */
  | { status: 'offline' }
  | { status: 'connecting' }
  | { status: 'online' }
  /** Lost; `retryAt` is the epoch time in ms of the next try. */
  | { status: 'waiting'; retryAt: number };

/** What came at once when the connection was back. */
export interface CaughtUp {
  /** New messages of others. */
  messages: number;
  awayMs: number;
  /** Epoch time in ms. */
  at: number;
}

export type SessionState =
  | { status: 'restoring' }
  | { status: 'signed-out'; reason: 'none' | 'expired' | 'revoked' | 'logged-out' }
  | { status: 'signed-in'; me: Me };

/** Domain state. Written only by client/store.ts. */
export interface ChatState {
  session: SessionState;
  connection: ConnectionState;
  /** Of the last absence; null before the first. */
  caughtUp: CaughtUp | null;
  users: Record<string, User>;
  conversations: Record<string, ConversationView>;
  /** Newest activity first; archived ones are not in it. */
  conversationIds: string[];
  /** False until the first page of conversations has come. */
  ready: boolean;
  hasMoreConversations: boolean;
  timelines: Record<string, Timeline>;
  /** By person; absent is `unverified` (selectTrust). */
  trust: Record<string, Exclude<Trust, 'unverified'>>;
  alarms: Alarm[];
}

/** Ephemeral state: high rate, no history, thrown away on disconnect. */
export interface SignalState {
  /** Conversation id -> ids of the people typing there, without me. */
  typing: Record<string, string[]>;
  presence: Record<string, { status: PresenceStatus; lastSeenAt: string | null }>;
  /** Conversation id -> how far this device has come with making new keys for its members. Absent for small groups. */
  rekeying: Record<string, Progress>;
  /** Message id -> how much of its files the server has. Absent when nothing is under way. */
  uploads: Record<string, Progress>;
  /** Ids of messages whose files only this page has yet: closed now, they would be lost. */
  unkept: Record<string, true>;
}

export interface Draft {
  text: string;
  replyTo?: string | null;
  files?: readonly OutgoingFile[];
}

/** Shown to the person once and never stored. */
export interface NewRecoveryKey {
  recoveryKey: string;
}
export interface RecoverInput {
  login: string;
  recoveryKey: string;
  /** The new one. */
  password: string;
  code?: string;
}
export interface ResetInput {
  login: string;
  code: string;
  /** The new one. */
  password: string;
}

/** One signed-in person's chat. Methods reject with an SdkError {code, reason}; `send` throws it when nobody is signed in. */
export interface Chat {
  readonly store: StoreApi<ChatState>;
  readonly signals: StoreApi<SignalState>;
  /** The typed procedures, for request/response screens and bots. */
  readonly api: TRPCClient<AppRouter>;
  /** Fresh links with this chat's authentication, for @trpc/react-query. */
  links(): TRPCLink<AppRouter>[];

  /** Makes the account and its keys, signs in. The recovery key is shown once and never stored. */
  register(input: {
    username: string;
    email: string;
    displayName?: string;
    password: string;
  }): Promise<{ recoveryKey: string }>;
  login(input: { login: string; password: string }): Promise<void>;
  /** Continues a stored session without a password; false when there is none. */
  resume(): Promise<boolean>;
  /** Ends the session and wipes keys, storage and stores. */
  logout(): Promise<void>;
  /** Only the lock is new: keys and history stay, other devices are signed out. */
  changePassword(input: { current: string; next: string }): Promise<void>;
  /** Another recovery key, to be shown once; the one before opens nothing any more. */
  newRecoveryKey(input: { password: string }): Promise<NewRecoveryKey>;
  /**
   * Somebody may have my keys: new ones, signed by the old, and a new recovery key. Other devices are signed out, and every conversation
   * gets a new key, in the background.
   */
  rotateKeys(input: { password: string }): Promise<NewRecoveryKey>;
  /** Signed in here, the password forgotten: a new one, with new keys that this device can sign for. May ask for a code (`code_required`). */
  setPasswordHere(input: { password: string; code?: string }): Promise<NewRecoveryKey>;
  /** Signs in with the recovery key and sets a new password. May ask for a code (`code_required`). */
  recover(input: RecoverInput): Promise<NewRecoveryKey>;
  /** Everything lost: signs in with a code and new keys. What was written so far stays unreadable, and everybody is told of the new keys. */
  resetAccount(input: ResetInput): Promise<NewRecoveryKey>;
  /** Has a code mailed. `mailed: false`: this server sends no mail, its operator hands out codes. `unlock` is for `setPasswordHere`. */
  requestCode(
    input: { login: string; purpose: 'recover' | 'reset' } | { purpose: 'unlock' },
  ): Promise<{ mailed: boolean }>;
  updateMe(input: { displayName?: string; avatarUrl?: string | null; privacy?: Partial<Me['privacy']> }): Promise<void>;

  createDirect(userId: string): Promise<string>;
  createGroup(title: string, userIds: string[]): Promise<string>;
  /** What a group is called and about, sealed together; what is not named stays, an empty topic or picture goes. BAD_REQUEST `bad_picture`. */
  update(conversationId: string, change: AboutGroup): Promise<void>;
  rename(conversationId: string, title: string): Promise<void>;
  archive(conversationId: string): Promise<void>;
  /** On all my devices. Until this ISO time, or `FOR_EVER` (client/select); null: told again from now on. */
  mute(conversationId: string, until: string | null): Promise<void>;
  /** Without `history` the newcomer reads from now on; with it everything that I can read. */
  addParticipant(conversationId: string, userId: string, role?: Role, options?: { history?: boolean }): Promise<void>;
  /** Removes somebody, or leaves when it is me. */
  removeParticipant(conversationId: string, userId: string): Promise<void>;
  setRole(conversationId: string, userId: string, role: Role): Promise<void>;
  loadMoreConversations(): Promise<void>;

  /** What two people compare to know that nobody stands between them. */
  safetyNumber(userId: string): Promise<SafetyNumber>;
  /** Whether what was read from their screen fits; `verify` it then. */
  matchesCode(userId: string, code: string): Promise<boolean>;
  /** `number` is the one that was compared: rejects with `contact_changed` when the keys are not those any more. On all my devices. */
  verify(userId: string, number: string): Promise<void>;
  unverify(userId: string): Promise<void>;
  /** Goes on with keys that replaced the compared ones; from then on they count as never compared. What waits goes out. */
  acceptChange(userId: string): Promise<void>;

  /** Loads the first window: the newest page, or around the first unread message. Harmless to repeat. */
  open(conversationId: string): Promise<void>;
  loadOlder(conversationId: string): Promise<void>;
  loadNewer(conversationId: string): Promise<void>;
  /** Makes the window contain this message; resolves when it is in the timeline. */
  jumpTo(conversationId: string, messageId: string): Promise<void>;
  /** What happened to people and keys, from the first epoch on; asked again when `keyEpoch` has changed. */
  changes(conversationId: string): Promise<ChangeLine[]>;
  /** Back to a window that ends with the newest message. */
  jumpToLatest(conversationId: string): Promise<void>;

  /** Shows the message at once and sends it when possible; the id is final. */
  send(conversationId: string, draft: Draft): string;
  /**
   * These four are shown at once and outlive the page like a message. They resolve when the server has them, which may be after
   * hours, and reject when it refuses; then the message has them in `acts`, to be retried or discarded.
   */
  edit(conversationId: string, messageId: string, text: string): Promise<void>;
  /** Leaves a signed tombstone. A message of mine that has never left this device just goes. */
  remove(conversationId: string, messageId: string): Promise<void>;
  react(conversationId: string, messageId: string, emoji: string): Promise<void>;
  unreact(conversationId: string, messageId: string, tag: string): Promise<void>;
  /** Stops the upload of a message's files where it is; it then counts as refused, with `paused`, until `retry`. */
  pause(conversationId: string, id: string): void;
  /** The whole file, opened and checked. Survives lost connections; rejects with FILE_CHANGED or DECRYPT when it is not what was sent, `not_found` when it is gone. */
  fetchFile(file: FileView, options?: { onProgress?(progress: Progress): void; signal?: AbortSignal }): Promise<Blob>;
  /** A part of it, `end` excluded: for playing and seeking. */
  readFile(file: FileView, range: { start: number; end: number; signal?: AbortSignal }): Promise<Uint8Array>;
  /** What was refused again, with the same id; or away with it. `id` is that of the message, or of the act. */
  retry(conversationId: string, id: string): void;
  discard(conversationId: string, id: string): void;
  /** Tries to connect now instead of waiting for the next attempt. */
  reconnect(): void;

  /** Call on each keystroke; refreshes and the final stop are the SDK's. */
  typing(conversationId: string, isTyping: boolean): void;
  /** What was really on screen in a focused window, up to this seq. */
  markRead(conversationId: string, seq: number): void;
  /** Declares interest in these people's presence until the returned function is called. */
  watchPresence(userIds: string[]): () => void;
  /** Keeps, sealed, what a notification needs to say who wrote where: for the service worker, which asks nobody. */
  keepNames(): Promise<void>;
  setPresence(status: PresenceStatus): void;

  close(): Promise<void>;
}

/** A tick: clock, one, two, two coloured - or a failure. Null for messages that are not mine. */
export type Tick = 'waiting' | 'failed' | 'sent' | 'delivered' | 'read' | null;
