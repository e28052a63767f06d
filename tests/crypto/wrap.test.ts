import { beforeAll, expect, it } from 'vitest';
import { must } from '#lib/must';
import type { AuthoredEpoch } from '../../src/crypto/author-epoch.ts';
import { bytesEqual, concat, fromUtf8, random } from '../../src/crypto/bytes.ts';
import { checkCommitment, keyCommitment, messageKey, ratchetKey } from '../../src/crypto/epoch-key.ts';
import { importKemPublicKey } from '../../src/crypto/hpke.ts';
import { openEnvelope } from '../../src/crypto/message.ts';
import { openGrant, sealGrant, unwrapKey, type WrapPlace } from '../../src/crypto/wrap.ts';
import { sealedMessage } from './messages.ts';
import { add, epochBy, newGroup, newPerson, type Person, remove } from './people.ts';

const UNWRAP = { code: 'UNWRAP' };
let ann: Person;
let bob: Person;
let carol: Person;
let people: Person[];
let group: AuthoredEpoch;

beforeAll(async () => {
  people = [await newPerson(), await newPerson(), await newPerson()];
  [ann, bob, carol] = people as [Person, Person, Person];
  group = await newGroup(ann, [bob, carol]);
});

const placeOf = (epoch: AuthoredEpoch, person: Person): WrapPlace => ({
  conversationId: epoch.state.record.conversationId,
  epoch: epoch.state.record.epoch,
  recordHash: epoch.state.hash,
  userId: person.userId,
  gen: person.identity.gen,
});
const kemOf = (person: Person) => must(person.keys.kem.get(person.identity.gen), 'a person holds his current key');
const wrapOf = (epoch: AuthoredEpoch, person: Person) =>
  must(
    epoch.wraps.find((wrap) => wrap.userId === person.userId),
    'wrapped for this person',
  ).wrapped;

it('every recipient opens the same committed key', async () => {
  for (const person of people) {
    const key = await unwrapKey(kemOf(person), placeOf(group, person), wrapOf(group, person));
    expect(key).toEqual(group.key);
    await checkCommitment(key, group.state.record);
  }
});

it('[P30] a wrap of another person, epoch, conversation, record or generation does not open', async () => {
  const other = await newGroup(ann, [bob]);
  await expect(unwrapKey(kemOf(bob), placeOf(group, bob), wrapOf(group, ann))).rejects.toMatchObject(UNWRAP);
  await expect(unwrapKey(kemOf(bob), placeOf(group, bob), wrapOf(other, bob))).rejects.toMatchObject(UNWRAP);
  for (const change of [{ epoch: 1 }, { gen: 1 }, { recordHash: random(32) }, { userId: ann.userId }]) {
    const place = { ...placeOf(group, bob), ...change };
    await expect(unwrapKey(kemOf(bob), place, wrapOf(group, bob))).rejects.toMatchObject(UNWRAP);
  }
});

it('[P30] a key that is not the one committed to is refused, wherever it belongs', async () => {
  const { record } = group.state;
  await expect(checkCommitment(random(32), record)).rejects.toMatchObject({ code: 'KEY_COMMIT' });
  await expect(checkCommitment(group.key, { ...record, epoch: 1 })).rejects.toMatchObject({ code: 'KEY_COMMIT' });
});

it('[P29] at a ratchet members derive the key, and newcomers cannot go back', async () => {
  const alone = await newGroup(ann, [bob]);
  const added = await epochBy(ann, people, { kind: 'ratchet', ops: [add(carol)] }, alone);
  expect(await ratchetKey(alone.key, added.state.record)).toEqual(added.key);
  const carols = await unwrapKey(kemOf(carol), placeOf(added, carol), wrapOf(added, carol));
  expect(carols).toEqual(added.key);
  const before = await sealedMessage(ann, alone, { t: 'text', body: 'before Carol' });
  await expect(openEnvelope(before, await messageKey(carols))).rejects.toMatchObject({ code: 'DECRYPT' });
});

it('[P29] someone removed, with every old key, the database and code of his own, reads nothing that comes', async () => {
  const rotated = await epochBy(ann, people, { kind: 'rotate', ops: [remove(carol)] }, group);
  const secret = await sealedMessage(ann, rotated, { t: 'text', body: 'after Carol' });
  const { record } = rotated.state;
  const candidates = [group.key, await ratchetKey(group.key, record), await keyCommitment(group.key, record)];
  for (const key of candidates) {
    expect(bytesEqual(await keyCommitment(key, record), record.keyCommit)).toBe(false);
    await expect(openEnvelope(secret, await messageKey(key))).rejects.toMatchObject({ code: 'DECRYPT' });
  }
  expect(rotated.wraps.map((wrap) => wrap.userId)).not.toContain(carol.userId);
  for (const wrap of rotated.wraps) {
    const place = { ...placeOf(rotated, carol), userId: wrap.userId };
    await expect(unwrapKey(kemOf(carol), place, wrap.wrapped)).rejects.toMatchObject(UNWRAP);
  }
});

it('a grant gives older keys to one person, bound to giver and head', async () => {
  const place = {
    conversationId: group.state.record.conversationId,
    head: group.state.hash,
    fromUserId: ann.userId,
    userId: bob.userId,
    gen: 0,
  };
  const sealed = await sealGrant(await importKemPublicKey(bob.identity.kemPub), place, [{ epoch: 0, key: group.key }]);
  expect(await openGrant(kemOf(bob), place, sealed)).toEqual([{ epoch: 0, key: group.key }]);
  for (const change of [{ fromUserId: carol.userId }, { head: random(32) }, { userId: carol.userId }, { gen: 1 }]) {
    await expect(openGrant(kemOf(bob), { ...place, ...change }, sealed)).rejects.toMatchObject(UNWRAP);
  }
  await expect(openGrant(kemOf(carol), place, sealed)).rejects.toMatchObject(UNWRAP);
});

it('nothing of the text or the key is visible in what is sent', async () => {
  const envelope = await sealedMessage(ann, group, { t: 'text', body: 'a perfectly visible secret' });
  const seen = concat(envelope.headerBytes, envelope.ciphertext, envelope.signature);
  const latin = String.fromCharCode(...seen);
  expect(latin).not.toContain('visible');
  expect(latin).not.toContain(String.fromCharCode(...group.key));
  expect(() => fromUtf8(envelope.ciphertext)).toThrow();
});
