import { expect, it } from 'vitest';
import { primitives } from '#crypto/primitives';
import { concat } from '../../src/crypto/bytes.ts';
import { decodeIdentity, encodeIdentity, fingerprint, verifyIdentity } from '../../src/crypto/identity.ts';
import { safetyNumber } from '../../src/crypto/safety-number.ts';
import { newPerson, type Person } from './people.ts';

const BAD_IDENTITY = { code: 'BAD_IDENTITY' };

async function successor(of: Person, kind: 'rotate' | 'reset', by: Person = of): Promise<Person> {
  const prevHash = await primitives.sha256(of.signed.record);
  const gen = of.identity.gen + 1;
  return newPerson({ userId: of.userId, gen, kind, prevHash }, async (record) =>
    primitives.sign(by.keys.signer, record),
  );
}

it('a first identity is signed by itself and comes back as it was', async () => {
  const ann = await newPerson();
  expect(await verifyIdentity(ann.signed)).toEqual(ann.identity);
  expect(encodeIdentity(decodeIdentity(ann.signed.record))).toEqual(ann.signed.record);
  expect(await fingerprint(ann.identity)).toEqual(ann.fingerprint);
});

it('[P31] keys are replaced only with the signature of the key before', async () => {
  const [ann, eve] = [await newPerson(), await newPerson()];
  const rotated = await successor(ann, 'rotate');
  expect((await verifyIdentity(rotated.signed, ann.signed)).gen).toBe(1);
  const forged = await successor(ann, 'rotate', eve);
  await expect(verifyIdentity(forged.signed, ann.signed)).rejects.toMatchObject(BAD_IDENTITY);
  const unsigned = { ...rotated.signed, prevSig: null };
  await expect(verifyIdentity(unsigned, ann.signed)).rejects.toMatchObject(BAD_IDENTITY);
});

it('a reset stands without the old key and says so', async () => {
  const [ann, eve] = [await newPerson(), await newPerson()];
  expect((await verifyIdentity((await successor(ann, 'reset', eve)).signed, ann.signed)).kind).toBe('reset');
});

it('the chain cannot skip, restart, change the person or the past', async () => {
  const [ann, bob] = [await newPerson(), await newPerson()];
  const second = await successor(ann, 'rotate');
  const third = await successor(second, 'rotate');
  await expect(verifyIdentity(third.signed, ann.signed)).rejects.toMatchObject(BAD_IDENTITY);
  await expect(verifyIdentity(second.signed)).rejects.toMatchObject(BAD_IDENTITY);
  await expect(verifyIdentity(second.signed, bob.signed)).rejects.toMatchObject(BAD_IDENTITY);
  await expect(verifyIdentity(ann.signed, ann.signed)).rejects.toMatchObject(BAD_IDENTITY);
  const otherPast = await newPerson({ userId: ann.userId, gen: 1, kind: 'reset' });
  await expect(verifyIdentity(otherPast.signed, ann.signed)).rejects.toMatchObject(BAD_IDENTITY);
  await expect(verifyIdentity((await newPerson({ gen: 1 })).signed)).rejects.toMatchObject(BAD_IDENTITY);
  // Signed by the keys before, over the right past: and still not the next of this person.
  const after = { kind: 'rotate' as const, prevHash: await primitives.sha256(ann.signed.record) };
  const signs = async (record: Uint8Array) => primitives.sign(ann.keys.signer, record);
  for (const wrong of [
    { userId: ann.userId, gen: 2 },
    { userId: ann.userId, gen: 0 },
    { userId: bob.userId, gen: 1 },
  ]) {
    const forged = await newPerson({ ...after, ...wrong }, signs);
    await expect(verifyIdentity(forged.signed, ann.signed)).rejects.toMatchObject(BAD_IDENTITY);
  }
});

it('a changed record, a changed signature and trailing bytes are refused', async () => {
  const { record, selfSig } = (await newPerson()).signed;
  const changed = record.slice();
  changed[60] = (changed[60] ?? 0) ^ 1;
  await expect(verifyIdentity({ record: changed, selfSig })).rejects.toMatchObject(BAD_IDENTITY);
  await expect(verifyIdentity({ record, selfSig: selfSig.slice(1) })).rejects.toMatchObject(BAD_IDENTITY);
  const longer = concat(record, new Uint8Array(1));
  await expect(verifyIdentity({ record: longer, selfSig })).rejects.toMatchObject({ code: 'BAD_FORMAT' });
});

it('[P31] the safety number is the same on both sides and changes with the keys', async () => {
  const [a, b, c] = [await newPerson(), await newPerson(), await newPerson()];
  const number = await safetyNumber(a.fingerprint, b.fingerprint);
  expect(number).toMatch(/^(\d{5} ){11}\d{5}$/);
  expect(await safetyNumber(b.fingerprint, a.fingerprint)).toBe(number);
  expect(await safetyNumber(a.fingerprint, c.fingerprint)).not.toBe(number);
});
