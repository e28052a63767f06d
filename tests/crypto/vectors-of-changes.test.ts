/** Frozen bytes of what people and conversations go through: chains of identities and epochs, every type of envelope, a keychain. */
import { describe, expect, it } from 'vitest';
import { applyEpoch, type EpochState } from '../../src/crypto/apply-epoch.ts';
import { fromBase64, toBase64 } from '../../src/crypto/bytes.ts';
import { encodeHeader, parseEnvelope, verifyEnvelope } from '../../src/crypto/envelope.ts';
import { decodeEpoch, encodeEpoch } from '../../src/crypto/epoch.ts';
import { checkCommitment, messageKey, ratchetKey } from '../../src/crypto/epoch-key.ts';
import { kemKeyPair } from '../../src/crypto/hpke.ts';
import { decodeIdentity, encodeIdentity, type SignedIdentity, verifyIdentity } from '../../src/crypto/identity.ts';
import { openKeychain } from '../../src/crypto/keychain.ts';
import { openEnvelope } from '../../src/crypto/message.ts';
import { must } from '#lib/must';
import vectors from '../vectors/parley-e2ee-v1-changes.json?raw';
import type { FrozenChanges } from './make-more-vectors.ts';

const { identities, epochs, creator, envelopes, keychain }: FrozenChanges = JSON.parse(vectors);
const sigPub = fromBase64(creator.sigPub);
const first = must(epochs[0], 'the beginning');

async function states(): Promise<EpochState[]> {
  const all: EpochState[] = [];
  for (const { record, sig } of epochs) {
    const signed = { record: fromBase64(record), sig: fromBase64(sig) };
    all.push(await applyEpoch(all.at(-1), signed, async () => sigPub));
  }
  return all;
}

describe('[P30] frozen formats', () => {
  it('identities: first, rotated, reset', async () => {
    let previous: SignedIdentity | undefined;
    const kinds: string[] = [];
    for (const { record, selfSig, prevSig } of identities) {
      const signed = {
        record: fromBase64(record),
        selfSig: fromBase64(selfSig),
        prevSig: prevSig === null ? null : fromBase64(prevSig),
      };
      kinds.push((await verifyIdentity(signed, previous)).kind);
      expect(toBase64(encodeIdentity(decodeIdentity(signed.record)))).toBe(record);
      previous = signed;
    }
    expect(kinds).toEqual(['first', 'rotate', 'reset']);
  });

  it('epochs: created, added to with roles, rotated with a removal and new keys', async () => {
    const all = await states();
    expect(all.map(({ hash }) => toBase64(hash))).toEqual(epochs.map(({ hash }) => hash));
    for (const { record } of epochs) expect(toBase64(encodeEpoch(decodeEpoch(fromBase64(record))))).toBe(record);
    expect(all.map(({ record }) => record.ops.map(({ op }) => op))).toEqual([
      ['add', 'add'],
      ['add', 'role'],
      ['remove', 'rekey'],
    ]);
    expect(all.map(({ members }) => members.size)).toEqual([2, 3, 2]);
    for (const [n, state] of all.entries()) await checkCommitment(fromBase64(epochs[n]?.key ?? ''), state.record);
    const second = must(all[1], 'the ratchet');
    expect(toBase64(await ratchetKey(fromBase64(first.key), second.record))).toBe(epochs[1]?.key);
  });

  it.each(envelopes)('envelope of type $type', async ({ type, revision, targetId, envelope: text, payload }) => {
    const envelope = parseEnvelope(fromBase64(text));
    expect(envelope.header).toMatchObject({ type, revision, targetId, senderId: creator.userId });
    expect(encodeHeader(envelope.header)).toEqual(new Uint8Array(envelope.headerBytes));
    await verifyEnvelope(envelope, sigPub);
    expect(await openEnvelope(envelope, await messageKey(fromBase64(first.key)))).toEqual(payload);
  });

  it('keychain', async () => {
    const { privateKey } = await kemKeyPair(fromBase64(creator.kemSeed));
    const place = { userId: creator.userId, conversationId: decodeEpoch(fromBase64(first.record)).conversationId };
    const opened = await openKeychain(new Map([[0, privateKey]]), place, fromBase64(keychain));
    expect(opened.map(({ epoch, key }) => [epoch, toBase64(key)])).toEqual(epochs.map(({ key }, n) => [n, key]));
  });
});
