/** Every size and count limit of the public contract, in one table: `limit` in an error's data is one of these numbers. */
export const LIMITS = {
  /** People in one group, the creator included. */
  participants: 1_000,
  /** Characters of base64 in `contentEncrypted` (an envelope of about 30 KB). */
  contentEncrypted: 40_000,
  /** Characters of base64 in a group's sealed title, topic and picture. */
  title: 12_000,
  /** Bytes of one WebSocket frame. */
  frameBytes: 64 * 1024,
  /** Bytes of an HTTP body; `epochBodyBytes` for procedures that carry an `epoch` (wraps for 1,000 members are 1.6 MB). */
  bodyBytes: 64 * 1024,
  epochBodyBytes: 4 * 1024 * 1024,
  /** Calls in one batch. */
  batch: 20,
  /** Rows of one page, and what a page holds when nothing is asked for. */
  page: 100,
  pageDefault: 50,
  /** User ids in `presence.get` and `presence.onChange`. */
  presenceIds: 500,
  /** User ids in `users.byIds` and `keys.identities`. */
  userIds: 100,
  /** Characters of JSON in `conversations.update.settings`. */
  settings: 8_000,
  /** Characters of base64 in `keys.settings.data`: it has to fit a body, and a frame. */
  accountSettings: 60_000,
  /** Characters of base64 in `keys.putKeychain.data`: some 1,200 epochs. */
  keychain: 60_000,
  /** Different reactions on one message by one person. */
  reactionsPerPerson: 20,
  /** Attachments of one message; FILES_PER_MESSAGE may allow fewer. */
  attachments: 200,
  /** Uploads of one person that hang on no message yet. */
  unsentFiles: 500,
  /** Browsers of one person that are told outside of the page; the oldest make room. */
  pushSubscriptions: 50,
} as const;
