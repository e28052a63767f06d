/** The door for a service worker: opens a push with what this device has, every check on, without asking anybody. */
import { fromBase64, parseEnvelope } from '#crypto/verify';
import type { PushPayload } from '#protocol/push';
import { Device } from './keyring/device.ts';
import { keptDirectory } from './keyring/kept-directory.ts';
import { Keyring } from './keyring/keyring.ts';
import { indexedDbStorage } from './storage/indexeddb.ts';
import type { FileView } from './types.ts';
import type { Storage } from './storage/storage.ts';

export type { PushPayload };

export interface OpenedPush {
  /** Who signed it; null when nobody is known to have. */
  sender: string | null;
  /** The name of its group; null in a conversation of two, and where it is not known. */
  group: string | null;
  /** Null when it cannot be opened here, or has no text. */
  text: string | null;
  /** What is attached; the text is the caption then. */
  files: readonly FileView[];
}

/**
 * Never rejects: where nobody is signed in, where a conversation has newer keys than this device, and whatever else goes
 * wrong, it is a message without text.
 */
export async function openPush(payload: PushPayload, given?: Storage): Promise<OpenedPush> {
  const opened: OpenedPush = { sender: null, group: null, text: null, files: [] };
  let storage: Storage | undefined;
  try {
    storage = given ?? (await indexedDbStorage());
    const device = new Device(storage);
    const keyring = new Keyring(storage, keptDirectory(device));
    if ((await device.owner()) === undefined || (await keyring.restore()) === undefined) return opened;
    const names = await keyring.names();
    opened.group = names?.groups[payload.conversationId] || null;
    const content = await contentOf(keyring, payload);
    opened.text = content?.body ?? null;
    opened.files = content?.files ?? [];
    // What could not be verified was said by nobody.
    if (opened.text !== null) opened.sender = names?.people[payload.senderId] ?? null;
  } catch {
    // Said nowhere: there is no screen here, and a log must not tell of conversations.
  } finally {
    if (!given) await storage?.close().catch(() => {});
  }
  return opened;
}

async function contentOf(keyring: Keyring, payload: PushPayload) {
  const { messageId: id, conversationId, seq, senderId, keyEpoch, contentEncrypted } = payload;
  if (contentEncrypted === undefined) return null;
  // A push says nothing of edits; whatever the envelope calls itself, its signature has to agree.
  const { type } = parseEnvelope(fromBase64(contentEncrypted)).header;
  const row = { id, conversationId, seq, senderId, keyEpoch, contentEncrypted, isEdited: type === 'edit' };
  const text = { messageType: 'text' as const, attachments: [], isDeleted: false, reactions: [] };
  const unknown = { firstKeyEpoch: keyEpoch, createdAt: '', editedAt: null, version: 0 };
  const [opened] = await keyring.openMessages([{ ...row, ...text, ...unknown }]);
  return opened?.content.kind === 'text' ? opened.content : null;
}
