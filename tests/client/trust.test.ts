/** Trust in people's keys, against a server that swaps them, resets them, and takes back what was decided. */
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { memoryStorage } from '#client/index';
import { primitives } from '#crypto/primitives';
import { sha256, toBase64 } from '#crypto/verify';
import { must } from '#lib/must';
import type { EpochOfConversation, IdentityOfUser, OwnWrap, StoredSettings } from '#protocol/keys';
import type { KeyDirectory } from '../../src/client/keyring/directory.ts';
import { Keyring } from '../../src/client/keyring/keyring.ts';
import { mergePin, type Pin, trustOf } from '../../src/client/keyring/pins.ts';
import type { TrustReport } from '../../src/client/keyring/trust.ts';
import type { AuthoredEpoch } from '../../src/crypto/author-epoch.ts';
import { add, epochBy, newId, newPerson, NOW, type Person } from '../crypto/people.ts';

/** What the server says and keeps. Tests bend it. */
class Server implements KeyDirectory {
  links: IdentityOfUser[] = [];
  log: EpochOfConversation[] = [];
  mine: OwnWrap[] = [];
  settings: StoredSettings | null = null;
  report: TrustReport = { trust: {}, alarms: [] };
  identities = async (userIds: string[]) => this.links.filter(({ userId }) => userIds.includes(userId));
  epochs = async (_: string, after: number) => this.log.filter(({ epoch }) => epoch > after);
  wraps = async (_: string, from: number) => this.mine.filter(({ epoch }) => epoch >= from);
  grants = async () => [];
  keychain = async () => null;
  putKeychain = async () => {};
  wrapped = () => {};
  /** Hashes of records, and what it says of me. */
  records: Uint8Array<ArrayBuffer>[] = [];
  own: { index: number; gen: number }[] = [];
  async identityLog(after: number | null) {
    let hash = new Uint8Array(32);
    for (const [i, record] of this.records.entries()) {
      const link = new Uint8Array(72);
      link.set(hash);
      link[39] = i + 1;
      link.set(record, 40);
      hash = await sha256(link);
    }
    const entries = after === null ? [] : this.records.slice(after).map((record) => toBase64(record));
    return { head: { index: this.records.length, hash: toBase64(hash) }, entries, mine: this.own };
  }
  readSettings = async () => this.settings;
  async saveSettings(settings: StoredSettings) {
    const stale = Object.assign(new Error('stale'), { reason: 'settings_stale' });
    if (settings.version !== (this.settings?.version ?? 0) + 1) throw stale;
    this.settings = settings;
  }
  noticed = (report: TrustReport) => void (this.report = report);

  know({ userId, signed, identity }: Person): void {
    const { record, selfSig, prevSig } = signed;
    const signatures = { selfSig: toBase64(selfSig), prevSig: prevSig && toBase64(prevSig) };
    this.links.push({ userId, gen: identity.gen, record: toBase64(record), ...signatures });
  }
  forget = ({ userId }: Person) => void (this.links = this.links.filter((link) => link.userId !== userId));

  accept(epoch: AuthoredEpoch, userId: string): AuthoredEpoch {
    const number = epoch.state.record.epoch;
    this.log.push({ epoch: number, record: toBase64(epoch.record), sig: toBase64(epoch.sig), seq: 0 });
    const own = epoch.wraps.find((wrap) => wrap.userId === userId);
    if (own) this.mine.push({ epoch: number, gen: own.gen, wrapped: toBase64(own.wrapped) });
    return epoch;
  }
}

const password = 'correct horse';
let me: Person;
let account: Awaited<ReturnType<Keyring['register']>>;
let ann: Person;
let server: Server;
let laptop: Keyring;
let direct: AuthoredEpoch;

/** My keys on one more device: with the password and what the server keeps, and nothing else. */
async function device(storage = memoryStorage()): Promise<Keyring> {
  const keyring = new Keyring(storage, server);
  const { identity } = account;
  await keyring.prepareLogin(password, identity.kdf);
  await keyring.finishLogin(me.userId, {
    identity: { gen: 0, record: identity.record, selfSig: identity.selfSig, prevSig: null },
    kdf: identity.kdf,
    wrappedMasterKey: identity.wrappedMasterKey,
    keyring: identity.keyring,
    settings: server.settings,
  });
  return keyring;
}

async function successor(of: Person, kind: 'rotate' | 'reset'): Promise<Person> {
  const { userId, identity } = of;
  const change = { userId, gen: identity.gen + 1, kind, prevHash: await sha256(of.signed.record) };
  return newPerson(change, kind === 'rotate' ? async (record) => primitives.sign(of.keys.signer, record) : undefined);
}

async function compare(keyring: Keyring): Promise<void> {
  await keyring.verify(ann.userId, (await keyring.safetyNumber(ann.userId)).number);
}
const stateAt = async (keyring: Keyring) => (await keyring.trust()).trust[ann.userId] ?? 'unverified';
const say = (keyring: Keyring, type: 'message' | 'delete' = 'message') => {
  const conversationId = direct.state.record.conversationId;
  return keyring.seal({ id: newId(), conversationId, createdMs: NOW, payload: { t: 'text', body: 'hi' }, type });
};

beforeAll(async () => {
  const userId = newId();
  account = await new Keyring(memoryStorage(), new Server()).register({ userId, password, createdMs: NOW });
  const { signed, identity, ...rest } = await newPerson({ userId });
  me = { ...rest, signed, identity };
});

beforeEach(async () => {
  server = new Server();
  ann = await newPerson();
  server.know(ann);
  const { record, selfSig } = account.identity;
  server.links.push({ userId: me.userId, gen: 0, record, selfSig, prevSig: null });
  laptop = await device();
  const conversationId = newId();
  const { epoch } = await laptop.begin({ conversationId, direct: true, memberIds: [ann.userId], createdMs: NOW });
  server.log.push({ epoch: 0, record: epoch.record, sig: epoch.sig, seq: 0 });
  server.mine = epoch.wraps
    .filter((wrap) => wrap.userId === me.userId)
    .map(({ gen, wrapped }) => ({ epoch: 0, gen, wrapped }));
  direct = { state: { record: { conversationId } } } as AuthoredEpoch;
});

test('[C71] keys made without the old ones: quiet for somebody never compared, and after a comparison nothing is sent any more', async () => {
  server.know(await successor(ann, 'reset'));
  await laptop.safetyNumber(ann.userId);
  expect(await stateAt(laptop)).toBe('unverified');
  await say(laptop);

  await compare(laptop);
  expect(await stateAt(laptop)).toBe('verified');
  const again = must(
    server.links.findLast(({ userId }) => userId === ann.userId),
    'there are two',
  );
  const before = Uint8Array.from(Buffer.from(again.record, 'base64'));
  server.know(await newPerson({ userId: ann.userId, gen: 2, kind: 'reset', prevHash: await sha256(before) }));
  await laptop.recheck([ann.userId]);
  expect(server.report.trust).toEqual({ [ann.userId]: 'changed' });
  await expect(say(laptop)).rejects.toMatchObject({ code: 'contact_changed' });
  const conversationId = direct.state.record.conversationId;
  const rotation = { conversationId, createdMs: NOW, participantIds: [me.userId, ann.userId], rekey: true };
  await expect(laptop.change(rotation)).rejects.toMatchObject({ code: 'contact_changed' });
  const beginning = { conversationId: newId(), direct: true, memberIds: [ann.userId], createdMs: NOW };
  await expect(laptop.begin(beginning)).rejects.toMatchObject({ code: 'contact_changed' });

  await laptop.unverify(ann.userId);
  await say(laptop);
  expect((await laptop.change(rotation)).epoch.wraps).toContainEqual(expect.objectContaining({ gen: 2 }));
});

test('[C71] keys signed by those that were compared are as good as they are', async () => {
  await compare(laptop);
  server.know(await successor(ann, 'rotate'));
  await laptop.recheck([ann.userId]);
  expect(await stateAt(laptop)).toBe('verified');
  await say(laptop);
});

test('[C36] other keys of the same generation are refused on every device, also where they were never seen', async () => {
  await laptop.syncSettings();
  server.forget(ann);
  server.know(await newPerson({ userId: ann.userId }));
  const phone = await device();
  await expect(phone.safetyNumber(ann.userId)).rejects.toMatchObject({ code: 'PIN_MISMATCH' });
});

test('[C36] keys that are said to be as they were are refused when another device has seen newer ones', async () => {
  await laptop.safetyNumber(ann.userId);
  server.know(await successor(ann, 'rotate'));
  const phone = await device();
  await phone.safetyNumber(ann.userId);
  await phone.syncSettings();
  await laptop.syncSettings();
  const { identities } = server;
  server.identities = async (userIds: string[], known: Record<string, number> = {}) =>
    (await identities(userIds)).filter(({ userId }) => known[userId] === undefined);
  await expect(laptop.safetyNumber(ann.userId)).rejects.toMatchObject({ code: 'PIN_MISMATCH' });
});

test('[C72] what was compared is what counts: keys that come between reading and clicking are not verified', async () => {
  const { number } = await laptop.safetyNumber(ann.userId);
  server.know(await successor(ann, 'reset'));
  await expect(laptop.verify(ann.userId, number)).rejects.toMatchObject({ code: 'contact_changed' });
  expect(await stateAt(laptop)).toBe('unverified');
});

test('[C72] number and code are the same for both, and fit nobody else', async () => {
  const mine = await laptop.safetyNumber(ann.userId);
  expect(mine.number).toMatch(/^(\d{5} ){11}\d{5}$/);
  const [label, own, theirs] = mine.code.split(' ');
  expect(await laptop.matchesCode(ann.userId, `${label} ${theirs} ${own}`)).toBe(true);
  expect(await laptop.matchesCode(ann.userId, mine.code)).toBe(false);
});

test('[C70] a comparison is valid on all devices; two that decide at once lose nothing', async () => {
  const phone = await device();
  const bob = await newPerson();
  server.know(bob);
  await compare(laptop);
  await phone.verify(bob.userId, (await phone.safetyNumber(bob.userId)).number);
  await Promise.all([laptop.syncSettings(), phone.syncSettings()]);
  await Promise.all([laptop.syncSettings(), phone.syncSettings()]);
  const both = { [ann.userId]: 'verified', [bob.userId]: 'verified' };
  for (const one of [laptop, phone, await device()]) expect((await one.trust()).trust).toEqual(both);
  // And taking it back is a decision like any other.
  await phone.unverify(bob.userId);
  await phone.syncSettings();
  await laptop.syncSettings();
  expect((await laptop.trust()).trust).toEqual({ [ann.userId]: 'verified' });
});

test('[C70] settings of before, or of somebody else, are refused, and nothing is written over them', async () => {
  await laptop.syncSettings();
  const old = server.settings;
  await compare(laptop);
  await laptop.syncSettings();
  server.settings = old;
  await expect(laptop.syncSettings()).rejects.toMatchObject({ code: 'SETTINGS_ROLLBACK' });
  server.settings = null;
  await expect(laptop.syncSettings()).rejects.toMatchObject({ code: 'SETTINGS_ROLLBACK' });
  expect((await laptop.trust()).alarms).toEqual(['settings_rollback']);
  expect(await stateAt(laptop)).toBe('verified');
  expect(server.settings).toBeNull();
  // Another number on it does not make it newer: the number is part of the seal.
  server.settings = { version: 9, data: must(old, 'written above').data };
  const phone = await device();
  expect(await stateAt(phone)).toBe('unverified');
});

test('[C70] pins merge without going back: of keys the newer, of decisions the later', () => {
  const pin = (fields: Partial<Pin>): Pin => ({ gen: 0, fingerprint: 'k0', reset: 0, vouch: null, rev: 0, ...fields });
  const vouch = { gen: 0, fingerprint: 'k0' };
  const verified = pin({ vouch, rev: 1 });
  const rotated = pin({ gen: 1, fingerprint: 'k1' });
  const reset = pin({ gen: 1, fingerprint: 'k1', reset: 1 });
  for (const [a, b, trust] of [
    [verified, pin({}), 'verified'],
    [verified, rotated, 'verified'],
    [verified, reset, 'changed'],
    [pin({ ...reset, rev: 2 }), verified, 'unverified'],
  ] as const) {
    expect(mergePin(a, b)).toEqual(mergePin(b, a));
    expect(mergePin(a, b).gen).toBe(Math.max(a.gen, b.gen));
    expect(trustOf(mergePin(a, b))).toBe(trust);
  }
});

test('[C73] a member list that names newer keys of mine than I have is an alarm', async () => {
  const impostor = await newPerson({ userId: me.userId, gen: 1 });
  const others = [ann, impostor];
  const first = await epochBy(ann, others, { kind: 'create', ops: [add(ann, 2), add(impostor)] });
  server.log = [];
  server.mine = [];
  server.accept(first, me.userId);
  const { conversationId } = first.state.record;
  await expect(laptop.sync(conversationId)).rejects.toMatchObject({ code: 'OWN_IDENTITY_ROLLBACK' });
  expect((await laptop.trust()).alarms).toEqual(['own_identity_rollback']);
});

const record = (n: number) => new Uint8Array(32).fill(n);
const alarmsOf = async (keyring: Keyring) => (await keyring.trust()).alarms;

test('[C75] the log of identities may grow, and nothing else', async () => {
  server.records = [record(1), record(2)];
  await laptop.checkLog();
  server.records.push(record(3));
  await laptop.checkLog();
  expect(await alarmsOf(laptop)).toEqual([]);
  server.records[2] = record(9);
  server.records.push(record(4));
  await laptop.checkLog();
  expect(await alarmsOf(laptop)).toEqual(['split_view']);
});

test('[C75] keys that the log says are mine, and that I do not have, are an alarm', async () => {
  server.own = [{ index: 1, gen: 0 }];
  server.records = [record(1)];
  await laptop.checkLog();
  expect(await alarmsOf(laptop)).toEqual([]);
  server.own.push({ index: 2, gen: 1 });
  await laptop.checkLog();
  expect(await alarmsOf(laptop)).toEqual(['foreign_identity']);
});

test('[C76] messages carry the log that their sender saw: two who are shown different logs find out', async () => {
  const conversationId = direct.state.record.conversationId;
  const opened = async (writer: Keyring, reader: Keyring, seq: number) => {
    const id = newId();
    const draft = { id, conversationId, createdMs: NOW, payload: { t: 'text', body: 'hi' } };
    const sealed = await writer.seal(draft);
    const row = { id, conversationId, seq, senderId: me.userId, ...sealed, firstKeyEpoch: 0 };
    const rest = { attachments: [], isEdited: false, isDeleted: false, editedAt: null, reactions: [], version: 1 };
    const createdAt = new Date(NOW).toISOString();
    const [message] = await reader.openMessages([{ ...row, ...rest, messageType: 'text', createdAt }]);
    expect(message?.content).toEqual({ kind: 'text', body: 'hi', replyTo: null });
  };
  const phone = await device();
  server.records = [record(1), record(2)];
  await laptop.checkLog();
  server.records.push(record(3));
  await phone.checkLog();
  // One is ahead of the other: no split.
  await opened(laptop, phone, 1);
  await opened(phone, laptop, 2);
  await Promise.all([laptop.checkLog(), phone.checkLog()]);
  expect([...(await alarmsOf(laptop)), ...(await alarmsOf(phone))]).toEqual([]);
  // From here on the server keeps a log of its own for this one.
  const other = await device();
  server.records = [record(1), record(7), record(3)];
  await other.checkLog();
  await opened(laptop, other, 3);
  await other.checkLog();
  expect(await alarmsOf(other)).toEqual(['split_view']);
});
