/** What a device remembers of its own keys, when the page goes while it takes new ones over. */
import { expect, it } from 'vitest';
import { memoryStorage } from '#client/index';
import { createAccount, derivePasswordSecrets, newKdf, rotateIdentity, TODAY } from '#crypto/index';
import { primitives } from '#crypto/primitives';
import { verifySignature } from '../../src/crypto/signature.ts';
import { Accounts } from '../../src/client/keyring/accounts.ts';
import { Device } from '../../src/client/keyring/device.ts';
import { newId } from '../crypto/people.ts';

it('[C63] a device has its old keys or its new ones, and never half of each, wherever a change of keys is cut off', async () => {
  const { account } = await createAccount({ userId: newId(), password: 'correct horse', createdMs: 1 });
  const { kek } = await derivePasswordSecrets('correct horse', newKdf());
  const { account: next } = await rotateIdentity(account, kek, 2);
  const seen = new Set<number>();
  for (const way of ['adopt', 'propose and settle'])
    for (let writes = 0; writes < 6; writes++) {
      const storage = memoryStorage();
      await new Accounts(new Device(storage), TODAY).adopt(account);
      let left = writes;
      const cut = <A extends unknown[]>(write: (...what: A) => Promise<void>) => {
        return async (...what: A) => (left-- > 0 ? write(...what) : Promise.reject(new Error('the page is gone')));
      };
      const dying = new Device({ ...storage, put: cut(storage.put), delete: cut(storage.delete) });
      const page = new Accounts(dying, TODAY);
      await page.restore();
      const takeOver = async () => {
        if (way === 'adopt') return page.adopt(next);
        await page.propose(next);
        await page.settle(Buffer.from(next.identity.record).toString('base64'));
      };
      await takeOver().catch(() => {});

      const after = new Accounts(new Device(storage), TODAY);
      await after.restore();
      const { gen, signer, sigPub, kem } = after.me;
      seen.add(gen);
      const data = new Uint8Array([1, 2, 3]);
      expect(await verifySignature(sigPub, await primitives.sign(signer, data), data)).toBe(true);
      expect(kem.size).toBe(gen + 1);
    }
  expect([...seen].sort()).toEqual([0, 1]);
});

it('[C66] a second change that is refused makes no device forget what the first has left over', async () => {
  const { account } = await createAccount({ userId: newId(), password: 'correct horse', createdMs: 1 });
  const { kek } = await derivePasswordSecrets('correct horse', newKdf());
  const { account: next } = await rotateIdentity(account, kek, 2);
  const { account: third } = await rotateIdentity(next, kek, 3);
  const page = new Accounts(new Device(memoryStorage()), TODAY);
  await page.adopt(account);
  expect(await page.unrotated()).toBeNull();
  await page.propose(next);
  await page.adopt(next);
  await page.propose(third);
  expect(await page.unrotated()).toBe(1);
  await page.settle(Buffer.from(third.identity.record).toString('base64'));
  expect(await page.unrotated()).toBe(2);
  await page.rotated(2);
  expect(await page.unrotated()).toBeNull();
});
