/** Runs inside a browser: a page of 50 messages by a device that knows its account and nothing of the conversation. */
import { memoryStorage } from '../../../src/client/storage/memory.ts';
import { Keyring } from '../../../src/client/keyring/keyring.ts';
import { messageKey } from '../../../src/crypto/epoch-key.ts';
import { sealEnvelope } from '../../../src/crypto/message.ts';
import { decodeIdentity, fingerprint, fromBase64, toBase64 } from '#crypto/verify';
import type { KeyDirectory } from '../../../src/client/keyring/directory.ts';
import type { IdentityOfUser } from '#protocol/keys';
import type { Message } from '#protocol/message';
import { headerOf } from '../../crypto/messages.ts';
import { epochBy, newGroup, newId, newPerson, NOW, type Person } from '../../crypto/people.ts';

const MESSAGES = 50;
const EPOCHS = 3;
const TEXT = 'the quick brown fox jumps over the lazy dog '.repeat(7).slice(0, 300);

const linkOf = ({ userId, signed, identity }: Person): IdentityOfUser => ({
  userId,
  gen: identity.gen,
  record: toBase64(signed.record),
  selfSig: toBase64(signed.selfSig),
  prevSig: null,
});

/** Milliseconds of each round. */
async function measure(rounds: number): Promise<number[]> {
  const storage = memoryStorage();
  const userId = newId();
  const nobody: KeyDirectory = {
    identities: async () => [],
    epochs: async () => [],
    wraps: async () => [],
    grants: async () => [],
    identityLog: async () => ({ head: null, entries: [], mine: [] }),
    readSettings: async () => null,
    saveSettings: async () => {},
    noticed: () => {},
    keychain: async () => null,
    putKeychain: async () => {},
    wrapped: () => {},
  };
  const first = new Keyring(storage, nobody);
  const { identity } = await first.register({ userId, password: 'correct horse battery', createdMs: NOW });
  await first.finishRegistration();
  const record = decodeIdentity(fromBase64(identity.record));
  const ann = await newPerson();
  const bob = await newPerson();
  const stranger = await newPerson();
  const me: Person = { ...stranger, userId, identity: record, fingerprint: await fingerprint(record) };

  const people = [ann, bob, me];
  const epochs = [await newGroup(ann, [bob, me])];
  for (let n = 1; n < EPOCHS; n++) epochs.push(await epochBy(ann, people, { kind: 'rotate', ops: [] }, epochs[n - 1]));
  const messages: Message[] = [];
  for (let n = 0; n < MESSAGES; n++) {
    const epoch = epochs[Math.floor((n * EPOCHS) / MESSAGES)] as (typeof epochs)[number];
    const sender = n % 2 ? ann : bob;
    const header = headerOf(sender, epoch, { prevSeq: 0 });
    const keys = { messageKey: await messageKey(epoch.key), signer: sender.keys.signer };
    messages.push({
      id: header.messageId,
      conversationId: header.conversationId,
      seq: n + 1,
      senderId: sender.userId,
      contentEncrypted: toBase64(await sealEnvelope(header, keys, { t: 'text', body: TEXT })),
      keyEpoch: header.epoch,
      firstKeyEpoch: header.epoch,
      messageType: 'text',
      attachments: [],
      isEdited: false,
      isDeleted: false,
      createdAt: new Date(NOW).toISOString(),
      editedAt: null,
      reactions: [],
      version: 1,
    });
  }
  const links = [linkOf(ann), linkOf(bob), { userId, gen: 0, ...pick(identity), prevSig: null }];
  const directory: KeyDirectory = {
    ...nobody,
    identities: async (userIds: string[]) => links.filter((link) => userIds.includes(link.userId)),
    epochs: async (_: string, after: number) =>
      epochs
        .map(({ state, record: bytes, sig }, n) => ({
          epoch: state.record.epoch,
          record: toBase64(bytes),
          sig: toBase64(sig),
          seq: Math.ceil((n * MESSAGES) / EPOCHS),
        }))
        .filter(({ epoch }) => epoch > after),
    wraps: async () =>
      epochs.map(({ state, wraps }) => {
        const own = wraps.find((wrap) => wrap.userId === userId);
        return { epoch: state.record.epoch, gen: 0, wrapped: toBase64(own?.wrapped ?? new Uint8Array(0)) };
      }),
  };

  const took: number[] = [];
  for (let n = 0; n < rounds; n++) {
    for (const [key] of await storage.entries('sealed')) if (key !== 'account') await storage.delete('sealed', key);
    const cold = new Keyring(storage, directory);
    await cold.restore();
    const began = performance.now();
    const opened = await cold.openMessages(messages);
    took.push(performance.now() - began);
    const unread = opened.filter(({ content }) => content.kind !== 'text');
    if (unread.length > 0) throw new Error(`not opened: ${JSON.stringify(unread[0])}`);
  }
  return took;
}

const pick = ({ record, selfSig }: { record: string; selfSig: string }) => ({ record, selfSig });

Object.assign(globalThis, { measure });
