/** Envelopes as a sender makes them. */
import type { AuthoredEpoch } from '../../src/crypto/author-epoch.ts';
import { NIL_ID } from '../../src/crypto/bytes.ts';
import { type Envelope, type EnvelopeHeader, parseEnvelope } from '../../src/crypto/envelope.ts';
import { messageKey } from '../../src/crypto/epoch-key.ts';
import { type Payload, sealEnvelope } from '../../src/crypto/message.ts';
import { newId, NOW, type Person } from './people.ts';

export function headerOf(sender: Person, epoch: AuthoredEpoch, change: Partial<EnvelopeHeader> = {}): EnvelopeHeader {
  return {
    type: 'message',
    conversationId: epoch.state.record.conversationId,
    messageId: newId(),
    revision: 0,
    epoch: epoch.state.record.epoch,
    epochHash: epoch.state.hash,
    senderId: sender.userId,
    senderGen: sender.identity.gen,
    targetId: NIL_ID,
    prevSeq: 0,
    prevHash: new Uint8Array(32),
    createdMs: NOW,
    aux: new Uint8Array(32),
    ...change,
  };
}

export async function sealedMessage(
  sender: Person,
  epoch: AuthoredEpoch,
  payload: Payload,
  change: Partial<EnvelopeHeader> = {},
): Promise<Envelope> {
  const keys = { messageKey: await messageKey(epoch.key), signer: sender.keys.signer };
  return parseEnvelope(await sealEnvelope(headerOf(sender, epoch, change), keys, payload));
}
