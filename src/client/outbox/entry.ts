/** Owns the form of what waits to be sent, as it is kept, sealed, on this device - and how it looks until it is stored. */
import { type Attachment, readAttachments } from '../files/attachment.ts';
import { NO_ACTS } from '../state/layers.ts';
import type { ActView, MessageView, SendState } from '../types.ts';

/** `t` says what it is mostly, for clients that know only some kinds. */
export type SentPayload = {
  t: 'text' | 'image' | 'file' | 'voice';
  body: string;
  reply_to?: { id: string };
  attachments?: Attachment[];
};

export type Act =
  | { kind: 'send'; payload: SentPayload }
  | { kind: 'edit'; messageId: string; body: string }
  | { kind: 'delete'; messageId: string }
  | { kind: 'react'; messageId: string; emoji: string }
  | { kind: 'unreact'; messageId: string; emoji: string | null; tag: string | null };

export interface Entry {
  /** UUIDv7, so ids are in the order of writing. A message's or a reaction's own id; else only this entry's. */
  id: string;
  conversationId: string;
  /** Of the writing; of the sealing, once it had to be sealed anew. */
  createdMs: number;
  act: Act;
  sealed: Sealed | null;
  /** An attempt may have reached the server. From here on the bytes are final, until it says that it has not taken them. */
  attempted: boolean;
  /** Why it did not go out, for the person to decide. */
  failed: string | null;
}

export interface Sealed {
  contentEncrypted: string;
  keyEpoch: number;
  /** Of a reaction. */
  tag?: string;
  /** The version of the message that this was made for; 0 for a new one. */
  since: number;
}

/** The message it is about. */
export const targetOf = ({ id, act }: Entry): string => (act.kind === 'send' ? id : act.messageId);

export function actViewOf({ id, act, createdMs, failed }: Entry): ActView | null {
  switch (act.kind) {
    case 'send':
      return null;
    case 'edit':
      return { id, failed, kind: 'edit', body: act.body, at: new Date(createdMs).toISOString() };
    case 'delete':
      return { id, failed, kind: 'delete' };
    case 'react':
      return { id, failed, kind: 'react', emoji: act.emoji };
    case 'unreact':
      return { id, failed, kind: 'unreact', emoji: act.emoji, tag: act.tag };
  }
}

export function echoOf(entry: Entry & { act: { kind: 'send' } }, me: string, send: SendState): MessageView {
  const { body, reply_to, attachments } = entry.act.payload;
  const files = readAttachments(entry.conversationId, attachments) ?? [];
  return {
    id: entry.id,
    conversationId: entry.conversationId,
    seq: null,
    senderId: me,
    type: attachments ? 'file' : 'text',
    content: { kind: 'text', body, replyTo: reply_to?.id ?? null, ...(files.length > 0 ? { files } : {}) },
    isEdited: false,
    isDeleted: false,
    createdAt: new Date(entry.createdMs).toISOString(),
    editedAt: null,
    reactions: [],
    send,
    acts: NO_ACTS,
    version: 0,
    firstKeyEpoch: 0,
    revision: 0,
  };
}

export const attachmentsOf = ({ act }: Entry): Attachment[] =>
  (act.kind === 'send' ? act.payload.attachments : undefined) ?? [];

export const isSend = (entry: Entry): entry is Entry & { act: { kind: 'send' } } => entry.act.kind === 'send';
