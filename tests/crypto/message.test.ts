import { beforeAll, describe, expect, it } from 'vitest';
import { primitives } from '#crypto/primitives';
import type { AuthoredEpoch } from '../../src/crypto/author-epoch.ts';
import { bytesEqual, concat, random, utf8 } from '../../src/crypto/bytes.ts';
import { seal } from '../../src/crypto/cobblestone.ts';
import {
  encodeHeader,
  type Envelope,
  envelopeHash,
  HEADER_BYTES,
  parseEnvelope,
  signedBytes,
  verifyEnvelope,
} from '../../src/crypto/envelope.ts';
import { messageKey, reactionKey, reactionTag } from '../../src/crypto/epoch-key.ts';
import { openEnvelope, sealEnvelope } from '../../src/crypto/message.ts';
import { paddedLength } from '../../src/crypto/chunks.ts';
import { isPadded, pad, unpad } from '../../src/crypto/padding.ts';
import type { SealKey } from '../../src/crypto/primitives.types.ts';
import { headerOf, sealedMessage } from './messages.ts';
import { newGroup, newId, newPerson, type Person } from './people.ts';

let ann: Person;
let bob: Person;
let group: AuthoredEpoch;
let key: SealKey;
let envelope: Envelope;

beforeAll(async () => {
  [ann, bob] = [await newPerson(), await newPerson()];
  group = await newGroup(ann, [bob]);
  key = await messageKey(group.key);
  envelope = await sealedMessage(ann, group, { t: 'text', body: 'hello', later: { unknown: true } });
});

const whole = ({ headerBytes, ciphertext, signature }: Envelope) => concat(headerBytes, ciphertext, signature);
async function resigned(by: Person, headerBytes: Uint8Array, ciphertext: Uint8Array): Promise<Envelope> {
  const signature = await primitives.sign(by.keys.signer, await signedBytes(headerBytes, ciphertext));
  return parseEnvelope(concat(headerBytes, ciphertext, signature));
}

it('opens what was sealed, fields unknown to this version included', async () => {
  await verifyEnvelope(envelope, ann.identity.sigPub);
  expect(await openEnvelope(envelope, key)).toEqual({ t: 'text', body: 'hello', later: { unknown: true } });
  expect(envelope.header).toMatchObject({ type: 'message', senderId: ann.userId, epoch: 0 });
});

describe('[P30] tampering', () => {
  it('a change of any byte at all is noticed before anything is decrypted', async () => {
    const bytes = whole(envelope);
    for (let at = 0; at < bytes.length; at++) {
      const attempt = (async () =>
        verifyEnvelope(parseEnvelope(bytes.with(at, (bytes[at] ?? 0) ^ 1)), ann.identity.sigPub))();
      await expect(attempt, `byte ${at}`).rejects.toMatchObject({ name: 'CryptoError' });
    }
  });

  it('unknown versions, suites and types are refused, there is no negotiation', () => {
    const bytes = whole(envelope);
    for (const at of [0, 1]) {
      expect(() => parseEnvelope(bytes.with(at, 2))).toThrow(expect.objectContaining({ code: 'BAD_VERSION' }));
    }
    for (const type of [0, 6]) {
      expect(() => parseEnvelope(bytes.with(2, type))).toThrow(expect.objectContaining({ code: 'BAD_FORMAT' }));
    }
  });

  it('a text signed by another member as his own does not decrypt', async () => {
    const stolen = encodeHeader({ ...envelope.header, senderId: bob.userId });
    const fake = await resigned(bob, stolen, envelope.ciphertext);
    await verifyEnvelope(fake, bob.identity.sigPub);
    await expect(openEnvelope(fake, key)).rejects.toMatchObject({ code: 'DECRYPT' });
  });

  it('a member cannot sign as another', async () => {
    const keys = { messageKey: key, signer: bob.keys.signer };
    const forged = parseEnvelope(await sealEnvelope(headerOf(ann, group), keys, { t: 'text', body: 'I am Ann' }));
    await expect(verifyEnvelope(forged, ann.identity.sigPub)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
  });

  it.each([
    ['another conversation', { conversationId: newId() }],
    ['another message id', { messageId: newId() }],
    ['another epoch', { epoch: 1 }],
    ['another revision', { revision: 1 }],
    ['another type', { type: 'edit' as const }],
    ['another time', { createdMs: 1 }],
    ['another target', { targetId: newId() }],
  ])('the header is bound to the ciphertext: %s', async (_, change) => {
    const moved = await resigned(ann, encodeHeader({ ...envelope.header, ...change }), envelope.ciphertext);
    await expect(openEnvelope(moved, key)).rejects.toMatchObject({ code: 'DECRYPT' });
  });

  it('a flipped commitment, signed by the sender himself, is refused', async () => {
    const changed = envelope.ciphertext.slice();
    changed[30] = (changed[30] ?? 0) ^ 1;
    const fake = await resigned(ann, envelope.headerBytes, changed);
    await expect(openEnvelope(fake, key)).rejects.toMatchObject({ code: 'DECRYPT' });
  });

  it.each([
    ['no JSON', utf8('hello')],
    ['a list', utf8('[]')],
    ['null', utf8('null')],
    ['no UTF-8', new Uint8Array([0xff])],
  ])('a payload that is %s is refused', async (_, plaintext) => {
    const context = concat(utf8Label('msg'), lengthPrefixed(envelope.headerBytes));
    const ciphertext = await seal(key, context, pad(plaintext));
    const odd = await resigned(ann, envelope.headerBytes, ciphertext);
    await expect(openEnvelope(odd, key)).rejects.toMatchObject({ code: 'BAD_FORMAT' });
  });
});

it('the hash that names an envelope does not depend on the signature', async () => {
  const again = { ...envelope, signature: new Uint8Array(64) };
  expect(await envelopeHash(again)).toEqual(await envelopeHash(envelope));
});

it('sizes: too short, too long', async () => {
  expect(() => parseEnvelope(random(HEADER_BYTES))).toThrow(expect.objectContaining({ code: 'BAD_FORMAT' }));
  expect(() => parseEnvelope(random(30_001))).toThrow(expect.objectContaining({ code: 'BAD_FORMAT' }));
  const long = { t: 'text', body: 'x'.repeat(30_000) };
  await expect(sealedMessage(ann, group, long)).rejects.toMatchObject({ code: 'BAD_FORMAT' });
});

describe('[P30] padding', () => {
  it('comes back at every length and hides it in few buckets', () => {
    const buckets = new Set<number>();
    for (let length = 0; length <= 5_000; length += 7) {
      const text = new Uint8Array(length).fill(0);
      expect(bytesEqual(unpad(pad(text)), text)).toBe(true);
      buckets.add(paddedLength(length + 1));
    }
    expect(buckets.size).toBeLessThan(60);
  });

  it('is visible to whoever has no key, and so is its absence', async () => {
    expect(isPadded(envelope.ciphertext)).toBe(true);
    expect(isPadded(await seal(key, utf8(''), utf8('unpadded')))).toBe(false);
    expect(isPadded(await seal(key, utf8(''), new Uint8Array(paddedLength(20_000))))).toBe(true);
    expect(isPadded(await seal(key, utf8(''), new Uint8Array(paddedLength(20_000) + 1)))).toBe(false);
    expect(isPadded(random(20))).toBe(false);
  });

  it('without its mark is refused', () => {
    for (const bytes of [new Uint8Array(64), new Uint8Array(0), new Uint8Array(64).fill(1)]) {
      expect(() => unpad(bytes)).toThrow(expect.objectContaining({ code: 'BAD_FORMAT' }));
    }
  });
});

it('[P12] a reaction tag is equal for the same emoji on the same message, and unrelated elsewhere', async () => {
  const at = { conversationId: newId(), targetId: newId() };
  const tagKey = await reactionKey(group.key);
  const tag = await reactionTag(tagKey, at, 'é');
  expect(await reactionTag(tagKey, at, 'e\u0301')).toEqual(tag);
  expect(await reactionTag(tagKey, at, '👍')).not.toEqual(tag);
  expect(await reactionTag(tagKey, { ...at, targetId: newId() }, 'é')).not.toEqual(tag);
  expect(await reactionTag(await reactionKey(random(32)), at, 'é')).not.toEqual(tag);
});

function utf8Label(purpose: string): Uint8Array {
  return lengthPrefixed(utf8(`parley-e2ee/v1/${purpose}`));
}

function lengthPrefixed(bytes: Uint8Array): Uint8Array {
  return concat(new Uint8Array([0, 0, bytes.length >> 8, bytes.length & 255]), bytes);
}
