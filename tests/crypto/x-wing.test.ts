/** The browser's ML-KEM and the library's are one KEM: what one seals the other opens. */
import { XWing } from '@hpke/hybridkem-x-wing';
import { expect, it } from 'vitest';
import { bestXWing, nativeKem } from '../../src/crypto/x-wing.ts';

const inBrowser = 'document' in globalThis;

it.skipIf(!inBrowser)('[C80] this browser does ML-KEM-768 itself', async () => {
  expect(await nativeKem()).toBeDefined();
});

it('[C80] the engine and the script derive, seal and open the same', async () => {
  const [best, script] = [await bestXWing(), new XWing()];
  for (let round = 0; round < 5; round++) {
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const [mine, theirs] = [await best.generateKeyPairDerand(seed), await script.generateKeyPairDerand(seed)];
    const publicKey = new Uint8Array(await best.serializePublicKey(mine.publicKey));
    expect(publicKey).toEqual(new Uint8Array(await script.serializePublicKey(theirs.publicKey)));
    for (const [sender, receiver, to, key] of [
      [best, script, mine.publicKey, theirs.privateKey],
      [script, best, theirs.publicKey, mine.privateKey],
      [best, best, mine.publicKey, mine.privateKey],
    ] as const) {
      const { enc, sharedSecret } = await sender.encap({ recipientPublicKey: to });
      expect(new Uint8Array(await receiver.decap({ enc, recipientKey: key }))).toEqual(new Uint8Array(sharedSecret));
    }
    // Implicit rejection, too: a changed ciphertext gives the same wrong secret.
    const { enc } = await script.encap({ recipientPublicKey: theirs.publicKey });
    const bent = new Uint8Array(enc);
    bent[7] = (bent[7] ?? 0) ^ 1;
    const wrong = new Uint8Array(await best.decap({ enc: bent.buffer, recipientKey: mine.privateKey }));
    expect(wrong).toEqual(new Uint8Array(await script.decap({ enc: bent.buffer, recipientKey: theirs.privateKey })));
  }
});
