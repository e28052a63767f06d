/**
 * Frozen bytes of every wire format. When one of these fails, stored conversations would no longer open:
 * a changed format needs a new version or suite, not new vectors.
 */
import { describe, expect, it } from 'vitest';
import { primitives } from '#crypto/primitives';
import { hashMembers, decodeEpoch, encodeEpoch } from '../../src/crypto/epoch.ts';
import { bytesEqual, fromBase64, toBase64 } from '../../src/crypto/bytes.ts';
import { importSealKey, open, sealWithSalt } from '../../src/crypto/cobblestone.ts';
import { encodeHeader, envelopeHash, parseEnvelope, verifyEnvelope } from '../../src/crypto/envelope.ts';
import { keyCommitment, messageKey, ratchetKey, reactionKey, reactionTag } from '../../src/crypto/epoch-key.ts';
import { kemKeyPair } from '../../src/crypto/hpke.ts';
import { decodeIdentity, encodeIdentity, fingerprint, verifyIdentity } from '../../src/crypto/identity.ts';
import { importKeyring, openKeyring } from '../../src/crypto/keyring.ts';
import { openEnvelope } from '../../src/crypto/message.ts';
import { pad } from '../../src/crypto/padding.ts';
import { derivePasswordSecrets } from '../../src/crypto/password.ts';
import { deriveRecoverySecrets } from '../../src/crypto/recovery-key.ts';
import { safetyNumber } from '../../src/crypto/safety-number.ts';
import { openSettings, unlockWithPassword, unlockWithRecoveryKey } from '../../src/crypto/account.ts';
import { applyEpoch } from '../../src/crypto/apply-epoch.ts';
import { openGrant, unwrapKey } from '../../src/crypto/wrap.ts';
import { must } from '#lib/must';
import vectors from '../vectors/parley-e2ee-v1.json?raw';
import type { FrozenVectors } from './make-vectors.ts';

const frozen: FrozenVectors = JSON.parse(vectors);
const { person, epoch, message, account } = frozen;
const at = { conversationId: epoch.conversationId, epoch: 0 };
const epochKey = fromBase64(epoch.key);

async function kem() {
  return (await kemKeyPair(fromBase64(person.kemSeed))).privateKey;
}

describe('[P30] frozen formats', () => {
  it('identity record, its signature, fingerprint and safety number', async () => {
    const identity = await verifyIdentity({ record: fromBase64(person.record), selfSig: fromBase64(person.selfSig) });
    expect(identity.userId).toBe(person.userId);
    expect(toBase64(encodeIdentity(decodeIdentity(fromBase64(person.record))))).toBe(person.record);
    expect(toBase64(await fingerprint(identity))).toBe(person.fingerprint);
    expect(await safetyNumber(fromBase64(person.fingerprint), new Uint8Array(32))).toBe(person.safetyNumber);
    const signer = await primitives.importSigningKey(fromBase64(person.sigSeed), identity.sigPub);
    expect(toBase64(await primitives.sign(signer, fromBase64(person.record)))).toBe(person.selfSig);
  });

  it('epoch record, members hash, hash', async () => {
    const record = decodeEpoch(fromBase64(epoch.record));
    expect(toBase64(encodeEpoch(record))).toBe(epoch.record);
    const sigPub = decodeIdentity(fromBase64(person.record)).sigPub;
    const signed = { record: fromBase64(epoch.record), sig: fromBase64(epoch.sig) };
    const state = await applyEpoch(undefined, signed, async () => sigPub);
    expect(toBase64(state.hash)).toBe(epoch.hash);
    expect(toBase64(await hashMembers(state.members.values()))).toBe(epoch.membersHash);
  });

  it('keys derived from the key of an epoch', async () => {
    expect(toBase64(await keyCommitment(epochKey, at))).toBe(epoch.keyCommit);
    const next = { ...at, epoch: 1, prevHash: fromBase64(epoch.hash) };
    expect(toBase64(await ratchetKey(epochKey, next))).toBe(epoch.ratcheted);
    expect(toBase64(await reactionKey(epochKey))).toBe(epoch.reactionKey);
    const place = { conversationId: epoch.conversationId, targetId: person.userId };
    expect(toBase64(await reactionTag(fromBase64(epoch.reactionKey), place, '👍'))).toBe(epoch.reactionTag);
  });

  it('wrap and grant', async () => {
    const to = { userId: person.userId, gen: 0, conversationId: epoch.conversationId };
    const wrap = { ...to, epoch: 0, recordHash: fromBase64(epoch.hash) };
    expect(bytesEqual(await unwrapKey(await kem(), wrap, fromBase64(epoch.wrapped)), epochKey)).toBe(true);
    const grant = { ...to, head: fromBase64(epoch.hash), fromUserId: person.userId };
    expect(await openGrant(await kem(), grant, fromBase64(epoch.grant))).toEqual([{ epoch: 0, key: epochKey }]);
  });

  it('envelope: header, signature, hash, content', async () => {
    const envelope = parseEnvelope(fromBase64(message.envelope));
    expect(envelope.header).toMatchObject(message.header);
    expect(encodeHeader(envelope.header)).toEqual(new Uint8Array(envelope.headerBytes));
    await verifyEnvelope(envelope, decodeIdentity(fromBase64(person.record)).sigPub);
    expect(toBase64(await envelopeHash(envelope))).toBe(message.hash);
    expect(await openEnvelope(envelope, await messageKey(epochKey))).toEqual(message.payload);
  });

  it('box and padding', async () => {
    const key = await importSealKey(fromBase64(frozen.box.key));
    const [context, plaintext] = [fromBase64(frozen.box.context), fromBase64(frozen.box.plaintext)];
    const salt = fromBase64(frozen.box.salt);
    expect(toBase64(await sealWithSalt(key, context, { plaintext, salt }))).toBe(frozen.box.sealed);
    expect(await open(key, context, fromBase64(frozen.box.sealed))).toEqual(plaintext);
    expect(frozen.paddedLengths.map(([length]) => [length, pad(new Uint8Array(length)).length])).toEqual(
      frozen.paddedLengths,
    );
  });

  it('[P28] account: password, master key locks, keyring, recovery key, settings', async () => {
    const { userId } = person;
    const secrets = await derivePasswordSecrets(account.password, account.identity.kdf);
    expect(secrets.authSecret).toBe(account.authSecret);
    const stored = { identity: account.identity, keyring: account.identity.keyring };
    const { password, recovery } = account.identity.wrappedMasterKey;
    const opened = await unlockWithPassword({ userId, kek: secrets.kek, wrapped: password, stored });
    const { recoveryKey } = account;
    const recovered = await unlockWithRecoveryKey({ userId, recoveryKey, wrapped: recovery, stored });
    expect(recovered.masterKey).toEqual(opened.masterKey);
    const keyring = await openKeyring(opened.masterKey, userId, fromBase64(account.identity.keyring));
    expect(toBase64((await importKeyring(keyring)).kemPub)).toBe(toBase64(opened.keys.kemPub));
    expect(must(keyring[0], 'one generation').gen).toBe(0);
    expect(toBase64((await deriveRecoverySecrets(recoveryKey)).proof)).toBe(account.recoveryProof);
    expect(await openSettings(opened.settingsKey, { userId, version: 1 }, account.settings)).toEqual({ pins: [] });
  });
});
