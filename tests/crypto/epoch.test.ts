import { beforeAll, describe, expect, it } from 'vitest';
import { primitives } from '#crypto/primitives';
import { type EpochState, wrapRecipients } from '../../src/crypto/apply-epoch.ts';
import type { AuthoredEpoch } from '../../src/crypto/author-epoch.ts';
import { concat } from '../../src/crypto/bytes.ts';
import { decodeEpoch, encodeEpoch, type EpochOp, type EpochRecord, hashMembers } from '../../src/crypto/epoch.ts';
import {
  add,
  asMember,
  epochBy,
  newDirect,
  newGroup,
  newPerson,
  type Person,
  receive,
  rekey,
  remove,
  setRole,
} from './people.ts';

const BAD_EPOCH = { code: 'BAD_EPOCH' };
let admin: Person;
let moderator: Person;
let member: Person;
let stranger: Person;
let everyone: Person[];
let first: AuthoredEpoch;
/** admin (2), moderator (1), member (0). */
let group: AuthoredEpoch;

beforeAll(async () => {
  everyone = [await newPerson(), await newPerson(), await newPerson(), await newPerson()];
  [admin, moderator, member, stranger] = everyone as [Person, Person, Person, Person];
  first = await newGroup(admin, [moderator, member]);
  group = await epochBy(admin, everyone, { kind: 'ratchet', ops: [setRole(moderator, 1)] }, first);
});

const next = (author: Person, kind: 'rotate' | 'ratchet', ops: EpochOp[], anyoneAdds = false) =>
  epochBy(author, everyone, { kind, ops, anyoneAdds }, group);

/** A record as attackers write it: any field changed, correctly hashed and signed by whom they like. */
async function forged(change: Partial<EpochRecord>, signer: Person, after: EpochState | null = group.state) {
  const members = new Map(after?.members);
  for (const op of change.ops ?? []) {
    if (op.op === 'remove') members.delete(op.userId);
    else members.set(op.member.userId, op.member);
  }
  const base = after?.record ?? first.state.record;
  const record = encodeEpoch({
    ...base,
    epoch: after ? base.epoch + 1 : 0,
    kind: after ? 'rotate' : 'create',
    prevHash: after?.hash ?? new Uint8Array(32),
    ops: [],
    authorId: signer.userId,
    authorGen: signer.identity.gen,
    membersHash: await hashMembers(members.values()),
    ...change,
  });
  return { record, sig: await primitives.sign(signer.keys.signer, record) };
}

it('a record comes back as it was written; anything else is refused', async () => {
  const { record } = first;
  expect(encodeEpoch(decodeEpoch(record))).toEqual(record);
  expect(() => decodeEpoch(concat(record, new Uint8Array(1)))).toThrow(expect.objectContaining({ code: 'BAD_FORMAT' }));
  const kindAt = 4 + 'parley-e2ee/v1/epoch'.length + 16 + 4;
  for (const [at, value] of [
    [kindAt, 3],
    [kindAt + 1, 4],
  ] as const) {
    const changed = record.slice();
    changed[at] = value;
    expect(() => decodeEpoch(changed)).toThrow(expect.objectContaining({ code: 'BAD_FORMAT' }));
  }
});

it('everyone gets a wrap at the beginning and at a rotation, only newcomers at a ratchet', async () => {
  expect(wrapRecipients(first.state)).toHaveLength(3);
  expect(group.wraps).toEqual([]);
  const ratchet = await next(admin, 'ratchet', [add(stranger)]);
  expect(wrapRecipients(ratchet.state).map((one) => one.userId)).toEqual([stranger.userId]);
  expect(ratchet.wraps.map((wrap) => wrap.wrapped.length)).toEqual([1168]);
  expect((await next(admin, 'rotate', [remove(member)])).wraps).toHaveLength(2);
});

describe('[P29] who may change the members', () => {
  const allowed: [string, () => Promise<AuthoredEpoch>][] = [
    ['an admin adds an admin', () => next(admin, 'ratchet', [add(stranger, 2)])],
    ['a moderator adds a member', () => next(moderator, 'ratchet', [add(stranger)])],
    ['an admin gives a role, in either kind', () => next(admin, 'rotate', [setRole(member, 1)])],
    ['an admin steps down', () => next(admin, 'ratchet', [setRole(admin, 0)])],
    ['anyone rotates out someone who left', () => next(member, 'rotate', [remove(admin)])],
    ['anyone rotates for a fresh key', () => next(member, 'rotate', [])],
    ['a moderator lets anyone add', () => next(moderator, 'ratchet', [], true)],
  ];
  it.each(allowed)('%s', async (_, make) => {
    const epoch = await make();
    expect((await receive(group.state, epoch, everyone)).hash).toEqual(epoch.state.hash);
  });

  const refused: [string, () => Promise<AuthoredEpoch>][] = [
    ['a member adds', () => next(member, 'ratchet', [add(stranger)])],
    ['a moderator adds a moderator', () => next(moderator, 'ratchet', [add(stranger, 1)])],
    ['a moderator gives a role', () => next(moderator, 'ratchet', [setRole(member, 1)])],
    ['a member makes himself an admin', () => next(member, 'ratchet', [setRole(member, 2)])],
    ['a member changes the policy', () => next(member, 'ratchet', [], true)],
    ['a stranger adds himself', () => next(stranger, 'ratchet', [add(stranger)])],
    ['someone leaves and chooses the next key', () => next(member, 'rotate', [remove(member)])],
    ['someone is added twice', () => next(admin, 'ratchet', [add(member)])],
    ['nobody is removed', () => next(admin, 'rotate', [remove(stranger)])],
    ['a ratchet removes', () => next(admin, 'ratchet', [remove(member)])],
    [
      'a ratchet replaces keys',
      () => next(admin, 'ratchet', [rekey({ ...member, identity: { ...member.identity, gen: 1 } })]),
    ],
    [
      'a role op swaps keys',
      () =>
        next(admin, 'ratchet', [{ op: 'role', member: { ...asMember(member, 1), fingerprint: stranger.fingerprint } }]),
    ],
    ['a rekey goes back or stays', () => next(member, 'rotate', [rekey(member)])],
    [
      'a rekey changes the role',
      () => next(member, 'rotate', [rekey({ ...member, identity: { ...member.identity, gen: 1 } }, 2)]),
    ],
  ];
  it.each(refused)('not: %s', async (_, make) => {
    await expect(make()).rejects.toMatchObject(BAD_EPOCH);
  });

  it('with the policy, members add members and nothing more', async () => {
    const open = await newGroup(admin, [member], true);
    const draft = (ops: EpochOp[]) => epochBy(member, everyone, { kind: 'ratchet', ops }, open);
    expect((await draft([add(stranger)])).state.members.size).toBe(3);
    await expect(draft([add(stranger, 1)])).rejects.toMatchObject(BAD_EPOCH);
  });
});

describe('[P29] direct conversations', () => {
  it('are two people for ever', async () => {
    const direct = await newDirect(admin, member);
    for (const ops of [[add(stranger)], [remove(member)], [setRole(member, 1)], [remove(member), add(stranger)]]) {
      await expect(epochBy(admin, everyone, { kind: 'rotate', ops }, direct)).rejects.toMatchObject(BAD_EPOCH);
    }
    // Also where the policy would let anyone add: two people it would still be, and not the same.
    const policy = { kind: 'create', direct: true, anyoneAdds: true, ops: [add(admin), add(member)] } as const;
    const open = await epochBy(admin, everyone, { ...policy, ops: [...policy.ops] });
    const swap = { kind: 'rotate' as const, ops: [remove(member), add(stranger)] };
    await expect(epochBy(admin, everyone, swap, open)).rejects.toMatchObject(BAD_EPOCH);
    expect((await epochBy(member, everyone, { kind: 'rotate', ops: [] }, direct)).state.members.size).toBe(2);
    await expect(epochBy(admin, everyone, { kind: 'rotate', ops: [], direct: false }, direct)).rejects.toMatchObject(
      BAD_EPOCH,
    );
  });

  it.each([
    ['one person', (): EpochOp[] => [add(admin)]],
    ['three people', (): EpochOp[] => [add(admin), add(member), add(stranger)]],
    ['with an admin', (): EpochOp[] => [add(admin, 2), add(member)]],
  ])('do not begin with %s', async (_, ops) => {
    const draft = { kind: 'create', direct: true, ops: ops() } as const;
    await expect(epochBy(admin, everyone, draft)).rejects.toMatchObject(BAD_EPOCH);
  });
});

describe('[P29] what a server could try', () => {
  it.each<[string, () => Promise<{ record: Uint8Array; sig: Uint8Array }>]>([
    ['a number skipped', () => forged({ epoch: group.state.record.epoch + 2 }, admin)],
    ['another past', () => forged({ prevHash: new Uint8Array(32) }, admin)],
    ['another conversation', () => forged({ conversationId: stranger.userId }, admin)],
    ['a second beginning', () => forged({ kind: 'create' }, admin)],
    ['members that do not hash', () => forged({ membersHash: new Uint8Array(32) }, admin)],
    ['an author of another generation', () => forged({ authorGen: 1 }, admin)],
    ['an author who is no member', () => forged({}, stranger)],
  ])('%s', async (_, make) => {
    await expect(receive(group.state, await make(), everyone)).rejects.toMatchObject(BAD_EPOCH);
  });

  it.each<[string, () => Promise<{ record: Uint8Array; sig: Uint8Array }>]>([
    ['without its creator', () => forged({ ops: [add(member, 2)] }, admin, null)],
    ['with a creator who is no admin', () => forged({ ops: [add(admin, 1)] }, admin, null)],
    ['with an op that is no add', () => forged({ ops: [add(admin, 2), setRole(admin, 2)] }, admin, null)],
    ['as a rotation', () => forged({ ops: [add(admin, 2)], kind: 'rotate' }, admin, null)],
    ['at epoch 1', () => forged({ ops: [add(admin, 2)], epoch: 1 }, admin, null)],
    ['with a past', () => forged({ ops: [add(admin, 2)], prevHash: group.state.hash }, admin, null)],
  ])('a beginning %s', async (_, make) => {
    // `forged` without a state takes its fields from the first record.
    const signed = await make();
    await expect(receive(undefined, signed, everyone)).rejects.toMatchObject(BAD_EPOCH);
  });

  it('a ghost member signed by the ghost', async () => {
    const ghost = await forged({ ops: [add(stranger)], authorId: admin.userId }, stranger);
    await expect(receive(group.state, ghost, everyone)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
  });

  it('a signature or any byte of the record changed', async () => {
    const { record, sig } = await next(admin, 'ratchet', [add(stranger)]);
    const flip = (bytes: Uint8Array, at: number) => bytes.with(at, (bytes[at] ?? 0) ^ 1);
    await expect(receive(group.state, { record, sig: flip(sig, 7) }, everyone)).rejects.toMatchObject({
      code: 'BAD_SIGNATURE',
    });
    for (let at = 0; at < record.length; at += 5) {
      await expect(receive(group.state, { record: flip(record, at), sig }, everyone)).rejects.toMatchObject({
        name: 'CryptoError',
      });
    }
  });
});

it('[P31] who replaced his keys signs the rotation that says so with the new ones', async () => {
  const renewed = await newPerson({ userId: member.userId, gen: 1, kind: 'rotate' });
  const people = [...everyone, renewed];
  const epoch = await epochBy(renewed, people, { kind: 'rotate', ops: [rekey(renewed)] }, group);
  expect((await receive(group.state, epoch, people)).members.get(member.userId)?.gen).toBe(1);
  const byOldKey = { ...epoch, sig: await primitives.sign(member.keys.signer, epoch.record) };
  await expect(receive(group.state, byOldKey, people)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
});

it('a group holds a thousand people and not one more', async () => {
  const crowd = (size: number): EpochOp[] =>
    Array.from({ length: size }, (_, i) => ({
      op: 'add',
      member: { ...asMember(member), userId: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}` },
    }));
  const full = await forged({ ops: [add(admin, 2), ...crowd(999)] }, admin, null);
  expect((await receive(undefined, full, everyone)).members.size).toBe(1000);
  const over = await forged({ ops: [add(admin, 2), ...crowd(1000)] }, admin, null);
  await expect(receive(undefined, over, everyone)).rejects.toMatchObject(BAD_EPOCH);
});
