import { expect, it } from 'vitest';
import { random, utf8 } from '../../src/crypto/bytes.ts';
import { hpkeOpen, hpkeSeal, importKemPublicKey, kemKeyPair } from '../../src/crypto/hpke.ts';

const UNWRAP = expect.objectContaining({ code: 'UNWRAP' });

it('[P30] opens for the recipient and the purpose it was made for, and for nothing else', async () => {
  const [ann, bob] = [await kemKeyPair(random(32)), await kemKeyPair(random(32))];
  const info = utf8('for Ann');
  const sealed = await hpkeSeal(await importKemPublicKey(ann.publicKey), info, utf8('hello'));
  expect(await hpkeOpen(ann.privateKey, info, sealed)).toEqual(utf8('hello'));
  await expect(hpkeOpen(bob.privateKey, info, sealed)).rejects.toEqual(UNWRAP);
  await expect(hpkeOpen(ann.privateKey, utf8('for Bob'), sealed)).rejects.toEqual(UNWRAP);
  await expect(hpkeOpen(ann.privateKey, info, sealed.subarray(0, -1))).rejects.toEqual(UNWRAP);
  await expect(hpkeOpen(ann.privateKey, info, new Uint8Array(3))).rejects.toEqual(UNWRAP);
});

it('a public key of the wrong length is refused', async () => {
  await expect(importKemPublicKey(random(31))).rejects.toMatchObject({ code: 'BAD_KEY' });
  await expect(kemKeyPair(random(31))).rejects.toMatchObject({ code: 'BAD_KEY' });
});
