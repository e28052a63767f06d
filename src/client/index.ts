/** The door of the SDK: `createChat` makes one person's chat, in a browser or in Node. */
import { platform } from '#client/platform';
import { uuidv7 } from 'uuidv7';
import type { Me } from '#protocol/user';
import { createApi, createLinks } from './api.ts';
import { Connection } from './connection.ts';
import { inSdkWords, mayPass, SdkError } from './errors.ts';
import { Gaps } from './gaps.ts';
import type { KeyDirectory } from './keyring/directory.ts';
import { gathered } from './keychains.ts';
import { namesOf } from './names.ts';
import { Running } from './running.ts';
import { Session } from './session.ts';
import { setRekeying } from './state/signals.ts';
import type { Storage } from './storage/storage.ts';
import { Store } from './store.ts';
import type { Chat, SessionState } from './types.ts';
import { Unreadable } from './unreadable.ts';
import type { KeyringHost, KeyringService } from './worker/service.ts';

export { sealedFileLength } from '#crypto/file-layout';
export { SdkError } from './errors.ts';
export { PICTURE_BYTES } from './picture.ts';
export { memoryStorage } from './storage/memory.ts';
export type { Storage } from './storage/storage.ts';
export type * from './types.ts';

export interface ChatOptions {
  /** Origin of the server, such as `http://localhost:3000`. */
  url: string;
  /** For programs: what survives the process. A memory if absent; browsers always use IndexedDB. */
  storage?: Storage;
}

/** Between tabs: the person has logged out. */
const LEFT = 'parley-left';

/**
 * @example
 * const chat = createChat({ url: 'http://localhost:3000' });
 * await chat.login({ login: 'ann', password });
 * const conversationId = await chat.createDirect(bobId);
 * chat.send(conversationId, { text: 'hello' });
 */
export function createChat({ url: origin, storage }: ChatOptions): Chat {
  const url = origin.replace(/\/+$/, '');
  const store = new Store();
  const tabs = platform.tabs(storage);
  let host: Promise<KeyringHost> | undefined;
  let running: Running | undefined;
  let ending = platform.newEnd();

  const session = new Session({
    url,
    kind: platform.session,
    tabs,
    keyring,
    onRenewed: (token) => {
      if (connection.isOnline) void api.auth.extend.mutate({ token }).catch(() => {});
    },
    onEnded: (reason) => void end({ status: 'signed-out', reason }),
  });
  const connection: Connection = new Connection({
    url,
    token: () => session.token(),
    onRefused: () => session.expire(),
    onState(state) {
      store.apply({ type: 'connection', connection: state });
      if (state.status === 'online') running?.online();
      else running?.offline();
    },
  });
  const roads = { url, connection, token: () => session.token() };
  const api = createApi(roads);

  const directory: KeyDirectory = {
    identities: (userIds, known) => inSdkWords(api.keys.identities.query({ userIds, known })),
    epochs: (conversationId, after) => inSdkWords(api.keys.epochs.query({ conversationId, after })),
    wraps: (conversationId, from) => inSdkWords(api.keys.wraps.query({ conversationId, from })),
    grants: (conversationId) => inSdkWords(api.keys.grants.query({ conversationId })),
    identityLog: (after) => inSdkWords(api.keys.log.query({ after })),
    readSettings: () => inSdkWords(api.keys.readSettings.query()),
    saveSettings: (settings) => inSdkWords(api.keys.settings.mutate(settings)),
    noticed: (report) => running?.trust.noticed(report),
    keychain: gathered((conversationIds) => inSdkWords(api.keys.keychains.query({ conversationIds }))),
    async putKeychain(keychain) {
      await inSdkWords(api.keys.putKeychain.mutate(keychain));
    },
    wrapped: (conversationId, done, total) =>
      store.signal((state) => setRekeying(state, conversationId, done < total ? { done, total } : null)),
  };

  async function keyring(): Promise<KeyringService> {
    host ??= platform.startKeyring(directory, storage);
    return (await host).keyring;
  }

  // Another tab has logged out: the keys are gone from the device, and nothing of that person may stay on this screen either.
  const stopHearing = tabs.hear((word) => {
    if (word === LEFT && running) void end({ status: 'signed-out', reason: 'logged-out' });
  });

  async function begin(me: Me): Promise<void> {
    const opened = await keyring();
    ending.abort();
    ending = platform.newEnd();
    const [unreadable, gaps, road] = [new Unreadable(), new Gaps(), roads];
    running = new Running({
      api,
      connection,
      store,
      keyring: opened,
      tabs,
      unreadable,
      gaps,
      road,
      signal: ending.signal,
    });
    // Last: a screen that sees somebody signed in may ask for anything.
    store.apply({ type: 'me', me });
    connection.start();
    await running.start();
  }

  /** Everything of this person stops and goes, keys first. */
  async function end(state: Extract<SessionState, { status: 'signed-out' }>): Promise<void> {
    ending.abort();
    running = undefined;
    session.clear();
    await connection.stop();
    if (host) await (await host).keyring.wipe();
    store.clear();
    store.apply({ type: 'session', session: state });
  }

  function parts(): Running {
    if (!running) throw new SdkError('CLOSED', 'not_signed_in');
    return running;
  }

  /** Without a network one is not signed out: the attempt goes on until the server has had its say. */
  async function resumed(): Promise<Me | null> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await session.resume();
      } catch (error) {
        const isOver = error instanceof SdkError && error.code === 'UNAUTHORIZED';
        if (isOver || !mayPass(error)) return null;
        await connection.rest(attempt + 1);
        if (ending.signal.aborted) return null;
      }
    }
  }

  return {
    store: store.chat,
    signals: store.signals,
    api,
    links: () => createLinks(roads),

    async register(input) {
      const { me, recoveryKey } = await session.register({ id: uuidv7(), ...input });
      await begin(me);
      return { recoveryKey };
    },
    login: async (input) => begin(await session.login(input)),
    async resume() {
      store.apply({ type: 'session', session: { status: 'restoring' } });
      const me = await resumed();
      if (me) await begin(me);
      else if (store.state.session.status === 'restoring') {
        store.apply({ type: 'session', session: { status: 'signed-out', reason: 'none' } });
      }
      return me !== null;
    },
    async logout() {
      // Keys and texts go from this device even when the server cannot be told.
      const told = session.logout().catch(() => {});
      await end({ status: 'signed-out', reason: 'logged-out' });
      tabs.tell(LEFT);
      await told;
    },
    changePassword: async (input) => parts().account.changePassword(input),
    newRecoveryKey: async ({ password }) => parts().account.newRecoveryKey(password),
    rotateKeys: async ({ password }) => parts().account.rotateKeys(password),
    setPasswordHere: async (input) => parts().account.setPasswordHere(input),
    async recover(input) {
      const { me, recoveryKey } = await session.recover(input);
      await begin(me);
      return { recoveryKey };
    },
    async resetAccount(input) {
      const { me, recoveryKey } = await session.reset(input);
      await begin(me);
      return { recoveryKey };
    },
    requestCode: async (input) =>
      input.purpose === 'unlock' ? parts().account.requestOwnCode() : session.requestCode(input),
    async updateMe(input) {
      const me = await inSdkWords(api.users.update.mutate(input));
      store.apply({ type: 'me', me });
    },

    createDirect: async (userId) => parts().conversations.createDirect(userId),
    createGroup: async (title, userIds) => parts().conversations.createGroup(title, userIds),
    update: async (id, change) => parts().conversations.update(id, change),
    rename: async (id, title) => parts().conversations.update(id, { title }),
    archive: async (id) => parts().conversations.archive(id),
    mute: async (id, until) => parts().conversations.mute(id, until),
    addParticipant: async (id, userId, role, options) =>
      parts().conversations.addParticipant(id, userId, role, options),
    removeParticipant: async (id, userId) => parts().conversations.removeParticipant(id, userId),
    setRole: async (id, userId, role) => parts().conversations.setRole(id, userId, role),
    loadMoreConversations: async () => parts().loadMoreConversations(),

    safetyNumber: async (userId) => parts().trust.safetyNumber(userId),
    matchesCode: async (userId, code) => parts().trust.matchesCode(userId, code),
    verify: async (userId, number) => parts().trust.verify(userId, number),
    unverify: async (userId) => parts().trust.unverify(userId),
    acceptChange: async (userId) => parts().trust.unverify(userId),

    open: async (id) => parts().history.open(id),
    loadOlder: async (id) => parts().history.older(id),
    loadNewer: async (id) => parts().history.newer(id),
    jumpTo: async (id, messageId) => parts().history.jumpTo(id, messageId),
    changes: async (id) => parts().conversations.changes(id),
    jumpToLatest: async (id) => parts().history.jumpToLatest(id),

    send(id, draft) {
      parts().signals.typing(id, false);
      return parts().outbox.send(id, draft);
    },
    edit: async (id, messageId, text) => parts().outbox.edit(id, messageId, text),
    remove: async (id, messageId) => parts().outbox.remove(id, messageId),
    react: async (id, messageId, emoji) => parts().outbox.react(id, messageId, emoji),
    unreact: async (id, messageId, tag) => parts().outbox.unreact(id, messageId, tag),
    retry: (_, id) => running?.outbox.retry(id),
    discard: (_, id) => running?.outbox.discard(id),
    pause: (_, id) => running?.outbox.pause(id),
    fetchFile: async (file, options) => parts().downloads.fetchFile(file, options),
    readFile: async (file, range) => parts().downloads.readFile(file, range),
    reconnect: () => connection.hurry(),

    typing: (id, isTyping) => running?.signals.typing(id, isTyping),
    markRead: (id, seq) => running?.receipts.read(id, seq),
    watchPresence: (userIds) => running?.signals.watch(userIds) ?? (() => {}),
    async keepNames() {
      if (running) await (await keyring()).keepNames(namesOf(store.state));
    },
    setPresence: (status) => running?.signals.setPresence(status),

    async close() {
      ending.abort();
      running = undefined;
      session.clear();
      await connection.stop();
      stopHearing();
      tabs.close();
      if (host) (await host).close();
    },
  };
}
