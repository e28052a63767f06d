/** Makes tests/vectors/parley-e2ee-v1.json: `npx tsx tests/crypto/make-vectors.ts`. Run once per version of the formats. */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { createAccount, sealSettings } from '../../src/crypto/account.ts';
import { concat, toBase64, utf8 } from '../../src/crypto/bytes.ts';
import { importSealKey, sealWithSalt } from '../../src/crypto/cobblestone.ts';
import { type EnvelopeType, envelopeHash } from '../../src/crypto/envelope.ts';
import { ratchetKey, reactionKey, reactionTag } from '../../src/crypto/epoch-key.ts';
import { importKemPublicKey } from '../../src/crypto/hpke.ts';
import { decodeIdentity, fingerprint } from '../../src/crypto/identity.ts';
import { pad } from '../../src/crypto/padding.ts';
import type { Kdf } from '../../src/crypto/password.ts';
import { deriveRecoverySecrets } from '../../src/crypto/recovery-key.ts';
import { safetyNumber } from '../../src/crypto/safety-number.ts';
import { sealGrant } from '../../src/crypto/wrap.ts';
import { must } from '#lib/must';
import { sealedMessage } from './messages.ts';
import { newGroup, newId, newPerson, NOW, type Person } from './people.ts';

export interface FrozenVectors {
  person: Record<'userId' | 'sigSeed' | 'kemSeed' | 'record' | 'selfSig' | 'fingerprint' | 'safetyNumber', string>;
  epoch: Record<
    | 'conversationId'
    | 'key'
    | 'record'
    | 'sig'
    | 'hash'
    | 'membersHash'
    | 'keyCommit'
    | 'ratcheted'
    | 'reactionKey'
    | 'reactionTag'
    | 'wrapped'
    | 'grant',
    string
  >;
  message: {
    header: { type: EnvelopeType; senderId: string; revision: number };
    envelope: string;
    hash: string;
    payload: Record<string, unknown>;
  };
  box: Record<'key' | 'context' | 'salt' | 'plaintext' | 'sealed', string>;
  paddedLengths: [number, number][];
  account: {
    password: string;
    authSecret: string;
    recoveryKey: string;
    recoveryProof: string;
    settings: string;
    identity: {
      record: string;
      selfSig: string;
      kdf: Kdf;
      wrappedMasterKey: { password: string; recovery: string };
      keyring: string;
    };
  };
}

async function make(): Promise<FrozenVectors> {
  const password = 'correct horse battery staple';
  const userId = newId();
  const registration = await createAccount({ userId, password, createdMs: NOW });
  const keys = must(registration.account.keyring[0], 'a new account has one generation');
  const identity = decodeIdentity(registration.account.identity.record);
  const person: Person = {
    ...(await newPerson()),
    userId,
    identity,
    keys: registration.account.keys,
    fingerprint: await fingerprint(identity),
  };
  const group = await newGroup(person, []);
  const { conversationId } = group.state.record;
  const tagKey = await reactionKey(group.key);
  const payload = { t: 'text', body: 'hello, späť 👋' };
  const envelope = await sealedMessage(person, group, payload);
  const box = { key: new Uint8Array(32).fill(1), context: utf8('context'), salt: new Uint8Array(24).fill(2) };
  const plaintext = new Uint8Array(20_000).fill(3);
  const grantPlace = { conversationId, head: group.state.hash, fromUserId: userId, userId, gen: 0 };
  const kemPub = await importKemPublicKey(identity.kemPub);
  return {
    person: {
      userId,
      sigSeed: toBase64(keys.sigSeed),
      kemSeed: toBase64(keys.kemSeed),
      record: registration.identity.record,
      selfSig: registration.identity.selfSig,
      fingerprint: toBase64(person.fingerprint),
      safetyNumber: await safetyNumber(person.fingerprint, new Uint8Array(32)),
    },
    epoch: {
      conversationId,
      key: toBase64(group.key),
      record: toBase64(group.record),
      sig: toBase64(group.sig),
      hash: toBase64(group.state.hash),
      membersHash: toBase64(group.state.record.membersHash),
      keyCommit: toBase64(group.state.record.keyCommit),
      ratcheted: toBase64(await ratchetKey(group.key, { conversationId, epoch: 1, prevHash: group.state.hash })),
      reactionKey: toBase64(tagKey),
      reactionTag: toBase64(await reactionTag(tagKey, { conversationId, targetId: userId }, '👍')),
      wrapped: toBase64(must(group.wraps[0], 'wrapped for its creator').wrapped),
      grant: toBase64(await sealGrant(kemPub, grantPlace, [{ epoch: 0, key: group.key }])),
    },
    message: {
      header: { type: 'message', senderId: userId, revision: 0 },
      envelope: toBase64(concat(envelope.headerBytes, envelope.ciphertext, envelope.signature)),
      hash: toBase64(await envelopeHash(envelope)),
      payload,
    },
    box: {
      key: toBase64(box.key),
      context: toBase64(box.context),
      salt: toBase64(box.salt),
      plaintext: toBase64(plaintext),
      sealed: toBase64(await sealWithSalt(await importSealKey(box.key), box.context, { plaintext, salt: box.salt })),
    },
    paddedLengths: [0, 1, 63, 64, 300, 1023, 1024, 5_000, 20_000].map((n) => [n, pad(new Uint8Array(n)).length]),
    account: {
      password,
      authSecret: registration.authSecret,
      recoveryKey: registration.recoveryKey,
      recoveryProof: toBase64((await deriveRecoverySecrets(registration.recoveryKey)).proof),
      settings: await sealSettings(registration.account.settingsKey, { userId, version: 1 }, { pins: [] }),
      identity: registration.identity,
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = new URL('../vectors/parley-e2ee-v1.json', import.meta.url);
  writeFileSync(file, `${JSON.stringify(await make(), null, 2)}\n`);
}
