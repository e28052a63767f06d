/** People with keys and conversations with epochs, made without passwords so that tests are fast. */
import { applyEpoch, type EpochState } from '../../src/crypto/apply-epoch.ts';
import { authorEpoch, type AuthoredEpoch, type EpochDraft } from '../../src/crypto/author-epoch.ts';
import { type Bytes, random, uuidFromBytes } from '../../src/crypto/bytes.ts';
import type { EpochOp, Member, MemberRole } from '../../src/crypto/epoch.ts';
import { encodeIdentity, fingerprint, type IdentityRecord } from '../../src/crypto/identity.ts';
import { importKeyring, type LiveKeys, newKeyGeneration } from '../../src/crypto/keyring.ts';
import { primitives } from '#crypto/primitives';

export const NOW = 1_700_000_000_000;
export const newId = (): string => uuidFromBytes(random(16));

export interface Person {
  userId: string;
  keys: LiveKeys;
  identity: IdentityRecord;
  signed: { record: Bytes; selfSig: Bytes; prevSig: Bytes | null };
  fingerprint: Bytes;
}

export async function newPerson(
  change: Partial<IdentityRecord> = {},
  signPrevious?: (record: Bytes) => Promise<Bytes>,
): Promise<Person> {
  const gen = change.gen ?? 0;
  const keys = await importKeyring([await newKeyGeneration(gen)]);
  const identity: IdentityRecord = {
    userId: newId(),
    gen,
    createdMs: NOW,
    kind: 'first',
    sigPub: keys.sigPub,
    kemPub: keys.kemPub,
    prevHash: new Uint8Array(32),
    ...change,
  };
  const record = encodeIdentity(identity);
  const selfSig = await primitives.sign(keys.signer, record);
  const prevSig = signPrevious ? await signPrevious(record) : null;
  return {
    userId: identity.userId,
    keys,
    identity,
    signed: { record, selfSig, prevSig },
    fingerprint: await fingerprint(identity),
  };
}

export const asMember = (person: Person, role: MemberRole = 0): Member => ({
  userId: person.userId,
  role,
  gen: person.identity.gen,
  fingerprint: person.fingerprint,
});
export const add = (person: Person, role: MemberRole = 0): EpochOp => ({ op: 'add', member: asMember(person, role) });
export const remove = (person: Person): EpochOp => ({ op: 'remove', userId: person.userId });
export const setRole = (person: Person, role: MemberRole): EpochOp => ({ op: 'role', member: asMember(person, role) });
export const rekey = (person: Person, role: MemberRole = 0): EpochOp => ({
  op: 'rekey',
  member: asMember(person, role),
});

/** Makes an epoch as `author` would. `people` is everyone whose public key may be needed. */
export async function epochBy(
  author: Person,
  people: readonly Person[],
  draft: Partial<EpochDraft> & Pick<EpochDraft, 'kind' | 'ops'>,
  after?: { state: EpochState; key?: Bytes },
): Promise<AuthoredEpoch> {
  const kem = new Map(people.map((person) => [`${person.userId}/${person.identity.gen}`, person.identity.kemPub]));
  return authorEpoch(
    {
      conversationId: after?.state.record.conversationId ?? newId(),
      direct: after?.state.record.direct ?? false,
      anyoneAdds: after?.state.record.anyoneAdds ?? false,
      createdMs: NOW,
      ...draft,
    },
    { userId: author.userId, gen: author.identity.gen, sigPub: author.keys.sigPub, signer: author.keys.signer },
    {
      previous: after?.state,
      previousKey: after?.key,
      kemPub: async (member) => kem.get(`${member.userId}/${member.gen}`) ?? new Uint8Array(0),
    },
  );
}

export const newGroup = (creator: Person, others: readonly Person[], anyoneAdds = false): Promise<AuthoredEpoch> =>
  epochBy(creator, [creator, ...others], {
    kind: 'create',
    anyoneAdds,
    ops: [add(creator, 2), ...others.map((person) => add(person))],
  });

export const newDirect = (a: Person, b: Person): Promise<AuthoredEpoch> =>
  epochBy(a, [a, b], { kind: 'create', direct: true, ops: [add(a), add(b)] });

/** As a receiver would: only the public keys of `people` are known, and fingerprints are compared. */
export function receive(
  previous: EpochState | undefined,
  signed: { record: Uint8Array; sig: Uint8Array },
  people: readonly Person[],
): Promise<EpochState> {
  return applyEpoch(previous, signed, async (userId, gen) => {
    const person = people.find((one) => one.userId === userId && one.identity.gen === gen);
    return person?.identity.sigPub ?? new Uint8Array(32);
  });
}
