import fc from 'fast-check';
import { beforeAll, it } from 'vitest';
import { applyEpoch } from '../../src/crypto/apply-epoch.ts';
import type { AuthoredEpoch } from '../../src/crypto/author-epoch.ts';
import { concat, fromBase64, random } from '../../src/crypto/bytes.ts';
import { parseEnvelope, verifyEnvelope } from '../../src/crypto/envelope.ts';
import { decodeEpoch } from '../../src/crypto/epoch.ts';
import { messageKey } from '../../src/crypto/epoch-key.ts';
import { CryptoError } from '../../src/crypto/error.ts';
import { decodeIdentity, verifyIdentity } from '../../src/crypto/identity.ts';
import { openEnvelope } from '../../src/crypto/message.ts';
import { isPadded } from '../../src/crypto/padding.ts';
import { sealedMessage } from './messages.ts';
import { newGroup, newPerson, type Person } from './people.ts';

let ann: Person;
let group: AuthoredEpoch;
let message: Uint8Array;

beforeAll(async () => {
  ann = await newPerson();
  group = await newGroup(ann, [await newPerson()]);
  const { headerBytes, ciphertext, signature } = await sealedMessage(ann, group, { t: 'text', body: 'seed' });
  message = concat(headerBytes, ciphertext, signature);
});

/** Truncations and overwritten bytes of something valid reach deeper than noise does. */
const mutation = fc.record({
  keep: fc.double({ min: 0, max: 1, noNaN: true }),
  edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
  tail: fc.uint8Array({ maxLength: 3 }),
});

function mutated(
  source: Uint8Array,
  { keep, edits, tail }: { keep: number; edits: [number, number][]; tail: Uint8Array },
) {
  const bytes = source.slice(0, keep > 0.5 ? source.length : Math.floor(source.length * keep * 2));
  for (const [at, value] of edits) if (bytes.length > 0) bytes[at % bytes.length] = value;
  return concat(bytes, tail);
}

async function onlyCryptoErrors(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
  }
}

// fast-check prints seed and path of a failing run; give them as `{ seed, path }` to see it again.
it('[P30] no bytes make a decoder throw anything but a CryptoError', async () => {
  const key = await messageKey(random(32));
  await fc.assert(
    fc.asyncProperty(mutation, fc.uint8Array({ maxLength: 400 }), fc.string(), async (change, noise, text) => {
      for (const bytes of [noise, mutated(message, change)]) {
        await onlyCryptoErrors(() => isPadded(bytes));
        await onlyCryptoErrors(async () => {
          const envelope = parseEnvelope(bytes);
          await onlyCryptoErrors(() => verifyEnvelope(envelope, ann.identity.sigPub));
          await openEnvelope(envelope, key);
        });
      }
      for (const bytes of [noise, mutated(group.record, change)]) {
        await onlyCryptoErrors(() => decodeEpoch(bytes));
        await onlyCryptoErrors(() => applyEpoch(undefined, { record: bytes, sig: noise }, async () => noise));
      }
      for (const bytes of [noise, mutated(ann.signed.record, change)]) {
        await onlyCryptoErrors(() => decodeIdentity(bytes));
        await onlyCryptoErrors(() => verifyIdentity({ record: bytes, selfSig: noise, prevSig: noise }, ann.signed));
      }
      await onlyCryptoErrors(() => fromBase64(text));
    }),
    { numRuns: 600 },
  );
});
