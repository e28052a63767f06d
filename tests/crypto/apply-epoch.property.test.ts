import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { EpochState } from '../../src/crypto/apply-epoch.ts';
import type { AuthoredEpoch } from '../../src/crypto/author-epoch.ts';
import type { EpochKind, EpochOp, MemberRole } from '../../src/crypto/epoch.ts';
import { CryptoError } from '../../src/crypto/error.ts';
import { must } from '#lib/must';
import { add, epochBy, newGroup, newPerson, type Person, receive, remove, setRole } from './people.ts';

const PEOPLE = 5;
let people: Person[];
let beginning: AuthoredEpoch;

beforeAll(async () => {
  people = await Promise.all(Array.from({ length: PEOPLE }, () => newPerson()));
  beginning = await newGroup(person(0), [person(1), person(2)]);
});

const person = (index: number): Person => must(people[index], 'there are five people');

const step = fc.record({
  author: fc.nat(PEOPLE - 1),
  kind: fc.constantFrom<Exclude<EpochKind, 'create'>>('rotate', 'ratchet'),
  ops: fc.array(
    fc.record({
      op: fc.constantFrom('add', 'role', 'remove'),
      who: fc.nat(PEOPLE - 1),
      role: fc.constantFrom<MemberRole>(0, 1, 2),
    }),
    { maxLength: 3 },
  ),
});

/** The rules once more, in the plainest words: user -> role. Undefined when the record must be refused. */
function model(
  roles: ReadonlyMap<string, number>,
  draft: { author: string; kind: EpochKind; ops: EpochOp[] },
): Map<string, number> | undefined {
  const authorRole = roles.get(draft.author);
  if (authorRole === undefined) return undefined;
  const next = new Map(roles);
  for (const op of draft.ops) {
    if (op.op === 'remove') {
      if (draft.kind === 'ratchet' || !next.delete(op.userId)) return undefined;
    } else if (op.op === 'add') {
      if (next.has(op.member.userId) || authorRole === 0) return undefined;
      if (authorRole === 1 && op.member.role !== 0) return undefined;
      next.set(op.member.userId, op.member.role);
    } else {
      if (authorRole !== 2 || !next.has(op.member.userId)) return undefined;
      next.set(op.member.userId, op.member.role);
    }
  }
  return next.has(draft.author) ? next : undefined;
}

const rolesOf = (state: EpochState) =>
  new Map([...state.members.values()].map((one) => [one.userId, one.role as number]));

it('[P29] whatever is tried, author and receiver hold the same members, and they are the ones the rules give', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      let authors: AuthoredEpoch = beginning;
      let receivers = await receive(undefined, beginning, people);
      for (const { author, kind, ops } of steps) {
        const made = ops.map(({ op, who, role }): EpochOp => {
          if (op === 'remove') return remove(person(who));
          return op === 'add' ? add(person(who), role) : setRole(person(who), role);
        });
        const expected = model(rolesOf(receivers), { author: person(author).userId, kind, ops: made });
        const attempt = await unwrapped(person(author), { kind, ops: made }, authors);
        expect(attempt !== undefined).toBe(expected !== undefined);
        if (!attempt || !expected) continue;
        authors = attempt;
        receivers = await receive(receivers, attempt, people);
        expect(rolesOf(receivers)).toEqual(expected);
        expect(receivers.hash).toEqual(attempt.state.hash);
      }
    }),
    { numRuns: 40 },
  );
});

async function unwrapped(
  author: Person,
  draft: { kind: EpochKind; ops: EpochOp[] },
  after: AuthoredEpoch,
): Promise<AuthoredEpoch | undefined> {
  try {
    return await epochBy(author, people, draft, after);
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'BAD_EPOCH') return undefined;
    throw error;
  }
}
