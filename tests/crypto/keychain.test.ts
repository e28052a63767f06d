import { expect, it } from 'vitest';
import { random } from '../../src/crypto/bytes.ts';
import { openKeychain, sealKeychain } from '../../src/crypto/keychain.ts';
import { newId, newPerson } from './people.ts';

const DECRYPT = { code: 'DECRYPT' };

it('[P31] a keychain opens for its person and conversation, with the generation it names, and nowhere else', async () => {
  const [ann, bob] = [await newPerson(), await newPerson()];
  const key = ann.keys.kem.get(0);
  if (!key) throw new TypeError('a person has a key of generation 0');
  const place = { userId: ann.userId, conversationId: newId() };
  const keys = [
    { epoch: 0, key: random(32) },
    { epoch: 7, key: random(32) },
  ];
  const sealed = await sealKeychain({ gen: 0, key }, place, keys);
  const open = (kem = ann.keys.kem, at = place, bytes = sealed) => openKeychain(kem, at, bytes);
  expect(await open()).toEqual(keys);
  await expect(open(bob.keys.kem)).rejects.toMatchObject(DECRYPT);
  await expect(open(ann.keys.kem, { ...place, userId: bob.userId })).rejects.toMatchObject(DECRYPT);
  await expect(open(ann.keys.kem, { ...place, conversationId: newId() })).rejects.toMatchObject(DECRYPT);
  await expect(open(new Map([[1, key]]))).rejects.toMatchObject({ code: 'BAD_KEY' });
  const renamed = sealed.slice();
  renamed[3] = 1;
  await expect(open(new Map([[1, key]]), place, renamed)).rejects.toMatchObject(DECRYPT);
  await expect(open(ann.keys.kem, place, sealed.slice(0, 3))).rejects.toMatchObject({ code: 'BAD_FORMAT' });
});
