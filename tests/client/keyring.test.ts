/** The keyring against a server that lies: every answer of the directory here is made by the test. */
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryStorage } from '#client/index';
import { openPush } from '#client/push';
import {
  importKemPublicKey,
  messageKey,
  type Payload,
  reactionKey,
  reactionTag,
  sealEnvelope,
  sealGrant,
} from '#crypto/index';
import { primitives } from '#crypto/primitives';
import { type EnvelopeHeader, fingerprint, fromBase64, decodeIdentity, sha256, toBase64 } from '#crypto/verify';
import { must } from '#lib/must';
import type { Conversation } from '#protocol/conversation';
import type {
  EpochOfConversation,
  IdentityOfUser,
  Keychain,
  OwnGrant,
  OwnKeychain,
  OwnWrap,
  StoredSettings,
} from '#protocol/keys';
import type { Message } from '#protocol/message';
import type { PushPayload } from '#protocol/push';
import type { KeyDirectory } from '../../src/client/keyring/directory.ts';
import { Keyring } from '../../src/client/keyring/keyring.ts';
import type { Storage } from '../../src/client/storage/storage.ts';
import { random } from '../../src/crypto/bytes.ts';
import { wrapKey } from '../../src/crypto/wrap.ts';
import type { AuthoredEpoch } from '../../src/crypto/author-epoch.ts';
import { headerOf } from '../crypto/messages.ts';
import {
  add,
  epochBy,
  newGroup,
  newId,
  newPerson,
  NOW,
  type Person,
  rekey,
  remove,
  setRole,
} from '../crypto/people.ts';

/** What the server says. Tests bend it. */
class Server implements KeyDirectory {
  links: IdentityOfUser[] = [];
  log: EpochOfConversation[] = [];
  mine: OwnWrap[] = [];
  settings: StoredSettings | null = null;
  identities = async (userIds: string[]) => this.links.filter(({ userId }) => userIds.includes(userId));
  epochs = async (_: string, after: number) => this.log.filter(({ epoch }) => epoch > after);
  wraps = async (_: string, from: number) => this.mine.filter(({ epoch }) => epoch >= from);
  identityLog = async () => ({ head: null, entries: [], mine: [] });
  readSettings = async () => this.settings;
  saveSettings = async (settings: StoredSettings) => void (this.settings = settings);
  noticed = () => {};
  chain: OwnKeychain | null = null;
  given: OwnGrant[] = [];
  grants = async () => this.given;
  keychain = async () => this.chain;
  putKeychain = async ({ conversationId, throughEpoch, data }: Keychain) => {
    this.chain = { conversationId, throughEpoch, data };
  };
  wrapped = () => {};

  know({ userId, signed, identity }: Person): void {
    const { record, selfSig, prevSig } = signed;
    this.links.push({
      userId,
      gen: identity.gen,
      record: toBase64(record),
      selfSig: toBase64(selfSig),
      prevSig: prevSig && toBase64(prevSig),
    });
  }

  accept(epoch: AuthoredEpoch, userId: string, seq = 0): AuthoredEpoch {
    const number = epoch.state.record.epoch;
    this.log.push({ epoch: number, record: toBase64(epoch.record), sig: toBase64(epoch.sig), seq });
    const own = epoch.wraps.find((wrap) => wrap.userId === userId);
    if (own) this.mine.push({ epoch: number, gen: own.gen, wrapped: toBase64(own.wrapped) });
    return epoch;
  }
}

const storage: Storage = memoryStorage();
let registered: IdentityOfUser;
let me: Person;
let [ann, bob, eve]: Person[] = [];
let server: Server;
let keyring: Keyring;
let group: AuthoredEpoch;

const people = () => [me, ann, bob, eve].map((person) => must(person, 'made before all'));
const annIs = () => must(ann, 'made before all');
const bobIs = () => must(bob, 'made before all');
const eveIs = () => must(eve, 'made before all');

beforeAll(async () => {
  [ann, bob, eve] = [await newPerson(), await newPerson(), await newPerson()];
  const userId = newId();
  const first = new Keyring(storage, new Server());
  const { identity } = await first.register({ userId, password: 'correct horse', createdMs: NOW });
  await first.finishRegistration();
  registered = { userId, gen: 0, record: identity.record, selfSig: identity.selfSig, prevSig: null };
  const record = decodeIdentity(fromBase64(identity.record));
  const { signed, keys } = await newPerson();
  me = { userId, identity: record, fingerprint: await fingerprint(record), signed, keys };
});

beforeEach(async () => {
  server = new Server();
  server.links.push(registered);
  for (const person of [annIs(), bobIs(), eveIs()]) server.know(person);
  // The same device each time, as after a reload; what other tests left about conversations and pins is dropped.
  for (const [key] of await storage.entries('sealed')) if (key !== 'account') await storage.delete('sealed', key);
  keyring = new Keyring(storage, server);
  await keyring.restore();
  group = server.accept(await newGroup(annIs(), [me, bobIs()]), me.userId);
});

const idOf = (epoch: AuthoredEpoch) => epoch.state.record.conversationId;

async function row(
  sender: Person,
  epoch: AuthoredEpoch,
  payload: Payload,
  { header: change = {}, ...rest }: { header?: Partial<EnvelopeHeader> } & Partial<Message> = {},
): Promise<Message> {
  const header = headerOf(sender, epoch, change);
  const keys = { messageKey: await messageKey(epoch.key), signer: sender.keys.signer };
  return {
    id: header.messageId,
    conversationId: header.conversationId,
    seq: 1,
    senderId: header.senderId,
    contentEncrypted: toBase64(await sealEnvelope(header, keys, payload)),
    keyEpoch: header.epoch,
    firstKeyEpoch: header.epoch,
    messageType: 'text',
    attachments: [],
    isEdited: header.type === 'edit',
    isDeleted: header.type === 'delete',
    createdAt: new Date(NOW).toISOString(),
    editedAt: null,
    reactions: [],
    version: 1,
    ...rest,
  };
}

const open = async (message: Message) => must((await keyring.openMessages([message]))[0], 'one for one');
const contentOf = async (message: Message) => (await open(message)).content;
const unreadable = (reason: string) => ({ kind: 'unreadable', reason });
const text = (body: string) => ({ t: 'text', body });
const says = (body: string) => ({ kind: 'text', body, replyTo: null });

it('opens what a member has said, and after a reload too', async () => {
  const message = await row(annIs(), group, text('hello'));
  expect(await contentOf(message)).toEqual(says('hello'));
  const again = new Keyring(storage, server);
  await again.restore();
  server.mine = [];
  expect((await again.openMessages([message]))[0]?.content).toEqual(says('hello'));
});

it('shows what it does not know as unsupported', async () => {
  expect(await contentOf(await row(annIs(), group, { t: 'hologram' }))).toEqual({ kind: 'unsupported' });
});

describe('[P30] messages that are not what the server says', () => {
  it.each<[string, string, (real: Message) => Partial<Message>]>([
    ['another id', 'ROW_MISMATCH', () => ({ id: newId() })],
    ['another epoch', 'ROW_MISMATCH', () => ({ keyEpoch: 1 })],
    ['another sender', 'ROW_MISMATCH', () => ({ senderId: bobIs().userId })],
    ['another type', 'ROW_MISMATCH', () => ({ isEdited: true })],
    ['noise', 'BAD_FORMAT', () => ({ contentEncrypted: toBase64(new Uint8Array(500)).replace('A', 'B') })],
    ['no base64', 'BAD_FORMAT', () => ({ contentEncrypted: '<script>' })],
    ['nothing', 'BAD_FORMAT', () => ({ contentEncrypted: '' })],
  ])('%s', async (_, reason, bend) => {
    const real = await row(annIs(), group, text('real'));
    const { content } = await open({ ...real, ...bend(real) });
    expect(content.kind).toBe('unreadable');
    if (reason !== 'BAD_FORMAT') expect(content).toEqual(unreadable(reason));
  });

  it('moved from another conversation', async () => {
    const other = await newGroup(annIs(), [me]);
    const message = await row(annIs(), other, text('elsewhere'), { conversationId: idOf(group) });
    expect(await contentOf(message)).toEqual(unreadable('WRONG_CONVERSATION'));
  });

  it('signed by another member', async () => {
    const forged = await row({ ...annIs(), keys: bobIs().keys }, group, text('I am Ann'));
    expect(await contentOf(forged)).toEqual(unreadable('BAD_SIGNATURE'));
  });

  it('by somebody who is in no epoch', async () => {
    expect(await contentOf(await row(eveIs(), group, text('hi')))).toEqual(unreadable('NOT_A_MEMBER'));
  });

  it('of an epoch that never was', async () => {
    const wrongHash = await row(annIs(), group, text('hi'), { header: { epochHash: new Uint8Array(32) } });
    expect(await contentOf(wrongHash)).toEqual(unreadable('EPOCH_MISMATCH'));
    const future = await row(annIs(), group, text('hi'), { header: { epoch: 7 } });
    expect(await contentOf(future)).toEqual(unreadable('EPOCH_MISMATCH'));
  });

  it('given twice, at two places', async () => {
    const message = await row(annIs(), group, text('once'));
    await open(message);
    expect(await contentOf({ ...message, seq: 2 })).toEqual(unreadable('REPLAY'));
    expect(await contentOf(message)).toEqual(says('once'));
  });

  it('an edit taken back, or told differently to different people', async () => {
    const first = await row(annIs(), group, text('v0'));
    const header = { messageId: first.id, type: 'edit' as const, revision: 1 };
    const edit = await row(annIs(), group, text('v1'), { header });
    const otherEdit = await row(annIs(), group, text('v1, but other'), { header });
    await open(first);
    expect(await contentOf(edit)).toEqual(says('v1'));
    expect(await contentOf(first)).toEqual(unreadable('ROLLBACK'));
    expect(await contentOf(otherEdit)).toEqual(unreadable('EQUIVOCATION'));
  });

  it('an edit by another', async () => {
    const first = await row(annIs(), group, text('mine'));
    const header = { messageId: first.id, type: 'edit' as const, revision: 1 };
    const edit = await row(bobIs(), group, text('yours'), { header, senderId: annIs().userId });
    expect(await contentOf(edit)).toEqual(unreadable('ROW_MISMATCH'));
  });
});

describe('[P30] deletions', () => {
  const tombstone = async (by: Person, author: Person, epoch: AuthoredEpoch) =>
    contentOf(await row(by, epoch, {}, { header: { type: 'delete', revision: 1 }, senderId: author.userId }));

  it('by the author, by an admin, by a moderator of a member - by the signed roles', async () => {
    const ops = [setRole(bobIs(), 1)];
    const moderated = server.accept(await epochBy(annIs(), people(), { kind: 'ratchet', ops }, group), me.userId);
    expect(await tombstone(bobIs(), bobIs(), moderated)).toEqual({ kind: 'deleted' });
    expect(await tombstone(annIs(), bobIs(), moderated)).toEqual({ kind: 'deleted' });
    expect(await tombstone(bobIs(), me, moderated)).toEqual({ kind: 'deleted' });
    expect(await tombstone(bobIs(), annIs(), moderated)).toEqual(unreadable('NOT_ALLOWED'));
    expect(await tombstone(bobIs(), annIs(), group)).toEqual(unreadable('NOT_ALLOWED'));
  });
});

describe('[P30] epochs', () => {
  it('a message of an ended epoch, stored later, is refused', async () => {
    server.accept(await epochBy(annIs(), people(), { kind: 'rotate', ops: [remove(bobIs())] }, group), me.userId, 5);
    await keyring.sync(idOf(group));
    expect(await contentOf(await row(bobIs(), group, text('in time'), { seq: 5 }))).toEqual(says('in time'));
    expect(await contentOf(await row(bobIs(), group, text('too late'), { seq: 6 }))).toEqual(unreadable('LATE_EPOCH'));
  });

  it('a reader added by the server alone is refused', async () => {
    await keyring.sync(idOf(group));
    const ghost = await epochBy(
      { ...annIs(), keys: eveIs().keys },
      people(),
      { kind: 'ratchet', ops: [add(eveIs())] },
      group,
    );
    server.accept(ghost, me.userId);
    await expect(keyring.sync(idOf(group))).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
  });

  it('history taken back, or written anew, is noticed', async () => {
    server.accept(await epochBy(annIs(), people(), { kind: 'rotate', ops: [] }, group), me.userId);
    await keyring.sync(idOf(group));
    const [first, second] = server.log;
    server.log = [must(first, 'the beginning')];
    await expect(keyring.sync(idOf(group))).rejects.toMatchObject({ code: 'EPOCH_ROLLBACK' });
    const other = await epochBy(annIs(), people(), { kind: 'rotate', ops: [] }, group);
    server.log = [must(first, 'the beginning'), { ...must(second, 'the rotation'), record: toBase64(other.record) }];
    await expect(keyring.sync(idOf(group))).rejects.toMatchObject({ code: 'EPOCH_FORK' });
    // After a reload as well: the head is remembered.
    const again = new Keyring(storage, server);
    await again.restore();
    await expect(again.sync(idOf(group))).rejects.toMatchObject({ code: 'EPOCH_FORK' });
  });

  it('a wrap with another key, or of another person, opens nothing', async () => {
    const other = await newGroup(annIs(), [me]);
    const theirs = must(
      other.wraps.find(({ userId }) => userId === me.userId),
      'wrapped for me',
    );
    server.mine = [{ epoch: 0, gen: 0, wrapped: toBase64(theirs.wrapped) }];
    expect(await contentOf(await row(annIs(), group, text('hi')))).toEqual(unreadable('BAD_WRAP'));
    const draft = { id: newId(), conversationId: idOf(group), payload: text('x'), createdMs: NOW };
    await expect(keyring.seal(draft)).rejects.toMatchObject({ code: 'NO_EPOCH_KEY' });
    // And heals by itself: a rotation needs no current key.
    const participantIds = [me, annIs(), bobIs()].map(({ userId }) => userId);
    const { epoch: healing } = await keyring.change({
      conversationId: idOf(group),
      createdMs: NOW,
      participantIds,
      rekey: true,
    });
    expect(healing.wraps).toHaveLength(3);
  });

  it('a key that was given to me alone, and not committed to, opens nothing', async () => {
    const mine = random(32);
    const place = { conversationId: idOf(group), epoch: 0, recordHash: group.state.hash, userId: me.userId, gen: 0 };
    const wrapped = await wrapKey(await importKemPublicKey(me.identity.kemPub), place, mine);
    server.mine = [{ epoch: 0, gen: 0, wrapped: toBase64(wrapped) }];
    const forMe = await row(annIs(), { ...group, key: mine }, text('only you are told this'));
    expect(await contentOf(forMe)).toEqual(unreadable('BAD_WRAP'));
  });

  it('[P22] whoever is gone is put out by the next who changes anything', async () => {
    const participantIds = [me.userId, annIs().userId];
    const change = { conversationId: idOf(group), createdMs: NOW, participantIds, rekey: true };
    expect((await keyring.change(change)).epoch.wraps.map(({ userId }) => userId).sort()).toEqual(
      participantIds.sort(),
    );
  });
});

describe('keys of the past', () => {
  /** Ann's group without me, and I am added by a ratchet. */
  async function joined(history: boolean, bend = (key: Uint8Array<ArrayBuffer>) => key) {
    server = new Server();
    server.links.push(registered);
    for (const person of [annIs(), bobIs(), eveIs()]) server.know(person);
    const before = server.accept(await newGroup(annIs(), [bobIs()]), me.userId);
    const after = server.accept(
      await epochBy(annIs(), people(), { kind: 'ratchet', ops: [add(me)] }, before),
      me.userId,
      1,
    );
    if (history) {
      const place = { conversationId: idOf(before), head: after.state.hash, fromUserId: annIs().userId };
      const to = { ...place, userId: me.userId, gen: 0 };
      const keys = [{ epoch: 0, key: bend(before.key) }];
      const sealed = await sealGrant(await importKemPublicKey(me.identity.kemPub), to, keys);
      const { head, fromUserId } = place;
      server.given.push({ fromUserId, gen: 0, head: toBase64(head), sealed: toBase64(sealed) });
    }
    keyring = new Keyring(storage, server);
    await keyring.restore();
    return { before, after };
  }

  it('[C81] a newcomer reads from his arrival on, with a grant from the beginning', async () => {
    const without = await joined(false);
    expect(await contentOf(await row(annIs(), without.before, text('old')))).toEqual(unreadable('BEFORE_JOIN'));
    expect(await contentOf(await row(annIs(), without.after, text('new')))).toEqual(says('new'));
    const { before } = await joined(true);
    expect(await contentOf(await row(annIs(), before, text('old')))).toEqual(says('old'));
  });

  it('[C81] whoever grants another key than everybody else has is found out', async () => {
    const { before, after } = await joined(true, () => new Uint8Array(32).fill(7));
    expect(await contentOf(await row(annIs(), before, text('old')))).toEqual(unreadable('BAD_GRANT'));
    expect(await contentOf(await row(annIs(), after, text('new')))).toEqual(says('new'));
  });

  it('[C82] a key that has served for a month, or for ten thousand messages, seals nothing new', async () => {
    const draft = { id: newId(), conversationId: idOf(group), payload: text('x') };
    const month = 30 * 24 * 60 * 60 * 1_000;
    await expect(keyring.seal({ ...draft, createdMs: NOW + month })).resolves.toMatchObject({ keyEpoch: 0 });
    await expect(keyring.seal({ ...draft, createdMs: NOW + month + 1 })).rejects.toMatchObject({ code: 'EPOCH_WORN' });
    await open(await row(annIs(), group, text('hi'), { seq: 9_999 }));
    await expect(keyring.seal({ ...draft, createdMs: NOW })).resolves.toMatchObject({ keyEpoch: 0 });
    await open(await row(annIs(), group, text('hi'), { seq: 10_000 }));
    await expect(keyring.seal({ ...draft, createdMs: NOW })).rejects.toMatchObject({ code: 'EPOCH_WORN' });
  });
});

describe('[C84] keychains', () => {
  async function rotations(count: number, from = group): Promise<AuthoredEpoch[]> {
    const made = [from];
    for (let i = 0; i < count; i++) {
      const last = must(made.at(-1), 'the beginning');
      const next = await epochBy(annIs(), people(), { kind: 'rotate', ops: [] }, last);
      made.push(server.accept(next, me.userId, next.state.record.epoch));
    }
    return made;
  }
  const elsewhere = async () => {
    for (const [key] of await storage.entries('sealed')) if (key !== 'account') await storage.delete('sealed', key);
    keyring = new Keyring(storage, server);
    await keyring.restore();
  };

  it('one blob gives a new device every key', async () => {
    const epochs = await rotations(4);
    await keyring.sync(idOf(group));
    await vi.waitFor(() => expect(server.chain?.throughEpoch).toBe(4));
    server.mine = [];
    await elsewhere();
    for (const [i, epoch] of epochs.entries()) {
      expect(await contentOf(await row(annIs(), epoch, text(`epoch ${i}`)))).toEqual(says(`epoch ${i}`));
    }
  });

  it('a blob that was changed, or is of another conversation, opens nothing and breaks nothing', async () => {
    await rotations(3);
    await keyring.sync(idOf(group));
    await vi.waitFor(() => expect(server.chain).not.toBeNull());
    const chain = must(server.chain, 'waited for');
    const bytes = fromBase64(chain.data);
    bytes[bytes.length - 1] = must(bytes.at(-1), 'not empty') ^ 1;
    server.chain = { ...chain, data: toBase64(bytes) };
    await elsewhere();
    expect(await contentOf(await row(annIs(), group, text('by its wrap')))).toEqual(says('by its wrap'));
    const other = await newGroup(annIs(), [me]);
    Object.assign(server, { chain, log: [], mine: [] });
    server.accept(other, newId());
    await elsewhere();
    expect(await contentOf(await row(annIs(), other, text('hi')))).toEqual(unreadable('NO_EPOCH_KEY'));
  });

  it('what another device has put there is taken in before it is replaced', async () => {
    const epochs = await rotations(3);
    await keyring.sync(idOf(group));
    await vi.waitFor(() => expect(server.chain?.throughEpoch).toBe(3));
    const chain = server.chain;
    // Another device sees no blob at first, and the wraps that are in it have gone.
    server.mine = server.mine.filter(({ epoch }) => epoch > 2);
    server.chain = null;
    await elsewhere();
    await keyring.sync(idOf(group));
    server.chain = chain;
    for (let i = 0; i < 4; i++) {
      const last = must(epochs.at(-1), 'made');
      epochs.push(server.accept(await epochBy(annIs(), people(), { kind: 'rotate', ops: [] }, last), me.userId, 9));
    }
    await keyring.sync(idOf(group));
    await vi.waitFor(() => expect(server.chain?.throughEpoch).toBe(7));
    server.mine = [];
    await elsewhere();
    for (const epoch of epochs) expect(await contentOf(await row(annIs(), epoch, text('x')))).toEqual(says('x'));
  });

  it('what came while a device was away, and another has put together since, is looked for there', async () => {
    const { putKeychain } = server;
    server.putKeychain = async (chain) => {
      await putKeychain(chain);
      server.mine = server.mine.filter(({ epoch }) => epoch > chain.throughEpoch || epoch === server.log.length - 1);
    };
    const made = await rotations(3);
    await keyring.sync(idOf(group));
    await vi.waitFor(() => expect(server.chain?.throughEpoch).toBe(3));
    const away = keyring;
    await elsewhere();
    const [, ...later] = await rotations(4, must(made.at(-1), 'made'));
    await keyring.sync(idOf(group));
    await vi.waitFor(() => expect(server.chain?.throughEpoch).toBe(7));
    const asked = vi.spyOn(server, 'keychain');
    for (const epoch of later) {
      expect((await away.openMessages([await row(annIs(), epoch, text('x'))]))[0]?.content).toEqual(says('x'));
    }
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('what was wrapped for keys that went with a reset is not waited for, and the rest becomes a blob', async () => {
    const anew = new Keyring(memoryStorage(), server);
    const { userId } = registered;
    const stored = { userId, identity: registered };
    const { body } = await anew.resetAccount(stored, 'from scratch', NOW);
    await anew.finishChange();
    server.links.push({ userId, gen: 1, prevSig: null, ...body.identity });
    const record = decodeIdentity(fromBase64(body.identity.record));
    const renewed = { ...me, identity: record, fingerprint: await fingerprint(record) };
    const everybody = [annIs(), bobIs(), renewed];
    let last = group;
    for (let i = 0; i < 4; i++) {
      const ops = i === 0 ? [rekey(renewed)] : [];
      last = server.accept(await epochBy(annIs(), everybody, { kind: 'rotate', ops }, last), userId, i + 1);
    }
    const reads = async (epoch: AuthoredEpoch) =>
      (await anew.openMessages([await row(annIs(), epoch, text('x'))]))[0]?.content;
    expect(await reads(last)).toEqual(says('x'));
    expect(await reads(group)).toEqual(unreadable('BEFORE_RESET'));
    await vi.waitFor(() => expect(server.chain?.throughEpoch).toBe(4));
    const asked = vi.spyOn(server, 'wraps');
    await anew.sync(idOf(group));
    expect(asked).not.toHaveBeenCalled();
  });
});

describe('[P30] identities', () => {
  it('another key for somebody known is refused', async () => {
    await open(await row(annIs(), group, text('hi')));
    const impostor = await newPerson({ userId: annIs().userId });
    server.links = server.links.filter(({ userId }) => userId !== annIs().userId);
    server.know(impostor);
    const again = new Keyring(storage, server);
    await again.restore();
    const beginning = { conversationId: newId(), direct: true, memberIds: [annIs().userId], createdMs: NOW };
    await expect(again.begin(beginning)).rejects.toMatchObject({ code: 'PIN_MISMATCH' });
  });

  it('keys of somebody known are followed by those that come after them in the chain, and by no others', async () => {
    await open(await row(annIs(), group, text('hi')));
    const prevHash = await sha256(annIs().signed.record);
    const beginning = { conversationId: newId(), direct: true, memberIds: [annIs().userId], createdMs: NOW };
    const next = { userId: annIs().userId, gen: 1, prevHash, kind: 'rotate' as const };
    server.know(await newPerson(next, async (record) => primitives.sign(eveIs().keys.signer, record)));
    await expect(keyring.begin(beginning)).rejects.toMatchObject({ code: 'BAD_IDENTITY' });
    server.links.pop();
    server.know(await newPerson(next, async (record) => primitives.sign(annIs().keys.signer, record)));
    expect((await keyring.begin(beginning)).epoch.wraps).toContainEqual(expect.objectContaining({ gen: 1 }));
  });

  it('the keys of somebody else in the place of a person are refused', async () => {
    server.links = server.links.filter(({ userId }) => userId !== annIs().userId);
    server.know(eveIs());
    const links = server.links.filter(({ userId }) => userId === eveIs().userId);
    server.links.push(...links.map((link) => ({ ...link, userId: annIs().userId })));
    const beginning = { conversationId: newId(), direct: true, memberIds: [annIs().userId], createdMs: NOW };
    await expect(keyring.begin(beginning)).rejects.toMatchObject({ code: 'NO_IDENTITY' });
  });

  it('keys that the epoch does not vouch for sign nothing, whatever was pinned', async () => {
    await open(await row(annIs(), group, text('hi')));
    const impostor = await newPerson({ userId: annIs().userId });
    server.links = server.links.filter(({ userId }) => userId !== annIs().userId);
    server.know(impostor);
    for (const [key] of await storage.entries('sealed')) {
      if (key !== 'account' && !key.startsWith('epochs/')) await storage.delete('sealed', key);
    }
    keyring = new Keyring(storage, server);
    await keyring.restore();
    const forged = await row({ ...annIs(), keys: impostor.keys }, group, text('I am Ann'));
    expect(await contentOf(forged)).toEqual(unreadable('FORGED_SENDER'));
  });

  it('a message under keys that its sender has replaced is refused', async () => {
    const next = { userId: annIs().userId, gen: 1, kind: 'rotate' as const };
    const prevHash = await sha256(annIs().signed.record);
    const renewed = await newPerson({ ...next, prevHash }, async (record) =>
      primitives.sign(annIs().keys.signer, record),
    );
    server.know(renewed);
    const everyone = [...people().filter(({ userId }) => userId !== renewed.userId), renewed];
    const rotated = await epochBy(renewed, everyone, { kind: 'rotate', ops: [rekey(renewed, 2)] }, group);
    server.accept(rotated, me.userId);
    expect(await contentOf(await row(renewed, rotated, text('new keys')))).toEqual(says('new keys'));
    expect(await contentOf(await row(annIs(), rotated, text('old keys')))).toEqual(unreadable('NOT_A_MEMBER'));
  });

  it('[C73] another key for me is refused, and an alarm', async () => {
    const impostor = await newPerson({ userId: me.userId });
    server.links = server.links.filter(({ userId }) => userId !== me.userId);
    server.know(impostor);
    await expect(keyring.sync(idOf(group))).rejects.toMatchObject({ code: 'OWN_IDENTITY_MISMATCH' });
    expect((await keyring.trust()).alarms).toEqual(['foreign_identity']);
  });

  it('members with other keys than their author vouched for are refused', async () => {
    const impostor = await newPerson({ userId: bobIs().userId });
    server.links = server.links.filter(({ userId }) => userId !== bobIs().userId);
    server.know(impostor);
    await expect(keyring.sync(idOf(group))).rejects.toMatchObject({ code: 'PIN_MISMATCH' });
  });
});

describe('[P30] reactions', () => {
  async function reaction(target: Message, emoji: string, aux?: Uint8Array<ArrayBuffer>) {
    const place = { conversationId: idOf(group), targetId: target.id };
    const tag = aux ?? (await reactionTag(await reactionKey(group.key), place, emoji));
    const header = { type: 'reaction' as const, targetId: target.id, aux: tag };
    const sample = (await row(bobIs(), group, { emoji }, { header })).contentEncrypted;
    return { tag: toBase64(tag), count: 1, sample, userIds: [bobIs().userId] };
  }

  it('open when the tag is the one of the emoji, on this message, by one who is said to have reacted', async () => {
    const target = await row(annIs(), group, text('hi'));
    const good = await reaction(target, '👍');
    expect((await open({ ...target, reactions: [good] })).emojis).toEqual({ [good.tag]: '👍' });
    const lying = await reaction(target, '👎', new Uint8Array(32).fill(9));
    const stolen = { ...good, userIds: [annIs().userId] };
    const moved = await row(annIs(), group, text('another'), { reactions: [good] });
    expect((await open({ ...target, reactions: [lying] })).emojis).toEqual({ [lying.tag]: null });
    expect((await open(moved)).emojis).toEqual({ [good.tag]: null });
    const fresh = new Keyring(storage, server);
    await fresh.restore();
    expect((await fresh.openMessages([{ ...target, reactions: [stolen] }]))[0]?.emojis).toEqual({ [good.tag]: null });
  });
});

it('[P30] a title counts only from somebody whose signed role may set it', async () => {
  const title = async (by: Person): Promise<Pick<Conversation, 'id' | 'title'>> => {
    const header = { type: 'meta' as const, messageId: idOf(group), revision: 2 };
    return { id: idOf(group), title: (await row(by, group, { title: 'Plans' }, { header })).contentEncrypted };
  };
  expect(await keyring.openTitles([await title(bobIs())])).toEqual([
    { title: null, topic: null, avatar: null, naming: null, revision: 2 },
  ]);
  expect(await keyring.openTitles([await title(annIs())])).toMatchObject([{ title: 'Plans', revision: 2 }]);
  expect(await keyring.openTitles([await title(bobIs())])).toMatchObject([{ title: 'Plans' }]);
});

it('[C89] a picture counts only if it is a small one that travels inside the title', async () => {
  const shown = async (avatar: unknown, revision: number): Promise<string | null> => {
    const header = { type: 'meta' as const, messageId: idOf(group), revision };
    const { contentEncrypted } = await row(annIs(), group, { title: 'Plans', avatar }, { header });
    const opened = await keyring.openTitles([{ id: idOf(group), title: contentEncrypted }]);
    return must(opened[0], 'one for one').avatar;
  };
  const png = (side: number, length: number) => {
    const bytes = new Uint8Array(length);
    bytes.set(new TextEncoder().encode('IHDR'), 12);
    new DataView(bytes.buffer).setUint32(16, side);
    new DataView(bytes.buffer).setUint32(20, 128);
    return `data:image/png;base64,${toBase64(bytes)}`;
  };
  const good = png(128, 4_095);
  expect(await shown(good, 1)).toBe(good);
  const lies = [
    'https://elsewhere.example/who-looks.png',
    '/files/1',
    good.replace('image/png', 'image/svg+xml'),
    good.replace('image/png', 'text/html'),
    png(128, 4_200),
    // Four kilobytes that would become gigabytes.
    png(60_000, 4_000),
    good.replace('png', 'webp'),
    good.replace('png', 'jpeg'),
    `${good}"onerror=`,
    { src: good },
    undefined,
  ];
  for (const [n, lie] of lies.entries()) expect(await shown(lie, n + 2)).toBeNull();
});

it('[C85] a title of the past, or another one of the same number, changes nothing, after a reload either', async () => {
  const titled = async (name: string, revision: number): Promise<Pick<Conversation, 'id' | 'title'>> => {
    const header = { type: 'meta' as const, messageId: idOf(group), revision };
    const payload = { title: name, topic: `about ${name}` };
    return { id: idOf(group), title: (await row(annIs(), group, payload, { header })).contentEncrypted };
  };
  const [old, now, other] = [await titled('Old', 1), await titled('New', 2), await titled('Other', 2)];
  const shown = async (by: Keyring, title: typeof old) => must((await by.openTitles([title]))[0], 'one for one').title;
  expect(await shown(keyring, old)).toBe('Old');
  expect(await keyring.openTitles([now])).toMatchObject([{ title: 'New', topic: 'about New', revision: 2 }]);
  const reloaded = new Keyring(storage, server);
  await reloaded.restore();
  for (const by of [keyring, reloaded]) {
    expect(await shown(by, old)).toBe('New');
    expect(await shown(by, other)).toBe('New');
  }
});

describe('a push, opened with nothing but what this device has kept', () => {
  const pushed = ({
    id: messageId,
    conversationId,
    seq,
    senderId,
    keyEpoch,
    contentEncrypted,
  }: Message): PushPayload => ({
    v: 1,
    type: 'message',
    messageId,
    conversationId,
    seq,
    senderId,
    keyEpoch,
    contentEncrypted,
  });
  const nothing = { sender: null, group: 'Plans', text: null, files: [] };

  beforeEach(async () => {
    // A page has been here.
    await open(await row(annIs(), group, text('seen')));
    await keyring.keepNames({ people: { [annIs().userId]: 'Ann' }, groups: { [idOf(group)]: 'Plans' } });
  });

  it('[P19] says who wrote what, edited or not', async () => {
    const push = pushed(await row(annIs(), group, text('news')));
    expect(await openPush(push, storage)).toEqual({ sender: 'Ann', group: 'Plans', text: 'news', files: [] });
    const edit = pushed(await row(annIs(), group, text('better'), { header: { type: 'edit', revision: 1 } }));
    expect(await openPush(edit, storage)).toMatchObject({ text: 'better' });
    const key = `${'A'.repeat(43)}=`;
    const id = '01890a5d-ac96-774b-bcce-b302099a8057';
    const voice = { id, key, name: 'voice.webm', mime: 'audio/webm', size: 9, sha256: '', voice: true };
    const spoken = pushed(await row(annIs(), group, { t: 'voice', body: '', attachments: [voice] }));
    expect(await openPush(spoken, storage)).toMatchObject({ sender: 'Ann', text: '', files: [{ kind: 'voice' }] });
  });

  it('[P30] says nothing of a message that fails a check', async () => {
    const push = pushed(await row(annIs(), group, text('news')));
    const forged = pushed(await row({ ...eveIs(), userId: annIs().userId }, group, text('forged')));
    expect(await openPush(forged, storage)).toEqual(nothing);
    for (const change of [
      { senderId: bobIs().userId },
      { messageId: newId() },
      { keyEpoch: 1 },
      { contentEncrypted: 'A' },
    ])
      expect(await openPush({ ...push, ...change }, storage)).toEqual(nothing);
  });

  it('says nothing where the keys are newer than this device, unknown to it, or gone', async () => {
    const next = await epochBy(annIs(), [me, annIs(), bobIs()], { kind: 'rotate', ops: [] }, group);
    expect(await openPush(pushed(await row(annIs(), next, text('later'))), storage)).toEqual(nothing);
    const other = await newGroup(annIs(), [me]);
    expect(await openPush(pushed(await row(annIs(), other, text('elsewhere'))), storage)).toMatchObject({ text: null });
    const push = pushed(await row(annIs(), group, text('news')));
    const { contentEncrypted: _, ...large } = push;
    expect(await openPush(large, storage)).toEqual(nothing);
    expect(await openPush(push, memoryStorage())).toEqual({ sender: null, group: null, text: null, files: [] });
  });
});

it('[C63] new keys that were offered, of which no answer came before the page went, are mine once the server shows them', async () => {
  const own = memoryStorage();
  const userId = newId();
  const first = new Keyring(own, server);
  const { identity } = await first.register({ userId, password: 'correct horse', createdMs: NOW });
  await first.finishRegistration();
  server.links.push({ userId, gen: 0, record: identity.record, selfSig: identity.selfSig, prevSig: null });
  const { body } = await first.rotateHere('another password', NOW);

  const next = new Keyring(own, server);
  await next.restore();
  expect(await next.settleChange()).toBe(false);
  const beginning = () => ({ conversationId: newId(), direct: true, memberIds: [annIs().userId], createdMs: NOW });
  const gens = async () => (await next.begin(beginning())).epoch.wraps.map(({ gen }) => gen);
  expect(await gens()).toEqual([0, 0]);
  server.links.push({ userId, gen: 1, ...body.identity });
  expect(await next.settleChange()).toBe(true);
  expect(await gens()).toEqual([1, 0]);
  expect(await next.settleChange()).toBe(false);
});

it('[C35] one false ratchet costs its epoch, and no ratchet that comes after a good rotation', async () => {
  const role = (rank: 0 | 1) => ({ kind: 'ratchet' as const, ops: [setRole(bobIs(), rank)] });
  const bad = await epochBy(annIs(), people(), role(1), { state: group.state, key: random(32) });
  server.accept(bad, me.userId);
  const healed = server.accept(await epochBy(annIs(), people(), { kind: 'rotate', ops: [] }, bad), me.userId);
  expect(await contentOf(await row(annIs(), healed, text('rotated')))).toEqual(says('rotated'));
  const honest = server.accept(await epochBy(annIs(), people(), role(0), healed), me.userId);
  expect(await contentOf(await row(annIs(), honest, text('after')))).toEqual(says('after'));
});
