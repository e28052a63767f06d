/** Makes tests/vectors/parley-e2ee-v1-changes.json, what conversations and people go through: `npx tsx tests/crypto/make-more-vectors.ts`. */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { primitives } from '#crypto/primitives';
import { concat, NIL_ID, toBase64 } from '../../src/crypto/bytes.ts';
import type { EnvelopeType } from '../../src/crypto/envelope.ts';
import { reactionKey, reactionTag } from '../../src/crypto/epoch-key.ts';
import { kemSeedOf } from '../../src/crypto/hpke.ts';
import { sealKeychain } from '../../src/crypto/keychain.ts';
import { must } from '#lib/must';
import { sealedMessage } from './messages.ts';
import { add, asMember, epochBy, newGroup, newId, newPerson, type Person, rekey, remove, setRole } from './people.ts';

interface FrozenIdentity {
  record: string;
  selfSig: string;
  prevSig: string | null;
}

export interface FrozenChanges {
  /** Of one person: first, rotate, reset. */
  identities: FrozenIdentity[];
  /** Of one conversation, by its creator: create, ratchet with add and role, rotate with remove and rekey. */
  epochs: { record: string; sig: string; hash: string; key: string }[];
  creator: { userId: string; sigPub: string; kemSeed: string };
  /** One of each type, under the first epoch. */
  envelopes: {
    type: EnvelopeType;
    revision: number;
    targetId: string;
    envelope: string;
    payload: Record<string, unknown>;
  }[];
  keychain: string;
}

const identityOf = ({ signed }: Person): FrozenIdentity => ({
  record: toBase64(signed.record),
  selfSig: toBase64(signed.selfSig),
  prevSig: signed.prevSig && toBase64(signed.prevSig),
});

async function successor(of: Person, kind: 'rotate' | 'reset'): Promise<Person> {
  const next = {
    userId: of.userId,
    gen: of.identity.gen + 1,
    kind,
    prevHash: await primitives.sha256(of.signed.record),
  };
  return newPerson(next, kind === 'rotate' ? async (record) => primitives.sign(of.keys.signer, record) : undefined);
}

async function make(): Promise<FrozenChanges> {
  const [creator, ann, bob] = [await newPerson(), await newPerson(), await newPerson()];
  const newAnn = await successor(ann, 'rotate');
  const everyone = [creator, ann, bob, newAnn];
  const first = await newGroup(creator, [ann]);
  const second = await epochBy(creator, everyone, { kind: 'ratchet', ops: [add(bob), setRole(ann, 1)] }, first);
  const ops = [remove(bob), rekey(newAnn, 1)];
  const third = await epochBy(creator, everyone, { kind: 'rotate', ops, anyoneAdds: true }, second);
  const { conversationId } = first.state.record;
  const targetId = newId();
  const aux = await reactionTag(await reactionKey(first.key), { conversationId, targetId }, '🦉');
  const sealed = async (type: EnvelopeType, payload: Record<string, unknown>, change = {}) => {
    const envelope = await sealedMessage(creator, first, payload, { type, ...change });
    const { revision, targetId: target } = envelope.header;
    const bytes = concat(envelope.headerBytes, envelope.ciphertext, envelope.signature);
    return { type, revision, targetId: target, envelope: toBase64(bytes), payload };
  };
  const key = must(creator.keys.kem.get(0), 'of a new person');
  const keys = [first, second, third].map((one, epoch) => ({ epoch, key: one.key }));
  return {
    identities: [ann, newAnn, await successor(newAnn, 'reset')].map(identityOf),
    epochs: [first, second, third].map(({ record, sig, state, key: epochKey }) => ({
      record: toBase64(record),
      sig: toBase64(sig),
      hash: toBase64(state.hash),
      key: toBase64(epochKey),
    })),
    creator: {
      userId: creator.userId,
      sigPub: toBase64(creator.keys.sigPub),
      kemSeed: toBase64(await kemSeedOf(key)),
    },
    envelopes: [
      await sealed('message', { t: 'text', body: 'first' }, { targetId: NIL_ID }),
      await sealed('edit', { t: 'text', body: 'second' }, { revision: 1 }),
      await sealed('reaction', { emoji: '🦉' }, { targetId, aux }),
      await sealed('delete', {}, { revision: 2 }),
      await sealed('meta', { title: 'Owls', topic: 'at night' }, { messageId: conversationId }),
    ],
    keychain: toBase64(await sealKeychain({ gen: 0, key }, { userId: asMember(creator).userId, conversationId }, keys)),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = new URL('../vectors/parley-e2ee-v1-changes.json', import.meta.url);
  writeFileSync(file, `${JSON.stringify(await make(), null, 2)}\n`);
}
