/**
 * Files: sealed boxes (C11) that are too large for an envelope. Name, type, key and hash are inside the message that the file hangs
 * on; the server knows an id, a length and who uploaded it for which conversation. The bytes travel over `/files/:id`
 * (docs/protocol.md, "Files").
 */
import { z } from 'zod';
import { Id } from './ids.ts';

/** A file as a message names it. */
export const Attachment = z.object({
  id: Id,
  /** Bytes of ciphertext. */
  size: z.int(),
});
export type Attachment = z.infer<typeof Attachment>;

/**
 * Begins an upload, or asks how far it is: the same id with the same conversation and size, from the same person, is the same
 * upload. One id stands for one ciphertext; what was sealed anew takes another one.
 */
export const CreateFile = z.object({
  /** UUIDv7, made by the client. */
  id: z.uuidv7().toLowerCase(),
  conversationId: Id,
  /** Bytes of ciphertext: the length of a box around a padded plaintext, or BAD_REQUEST `not_padded`. */
  size: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
});
export type CreateFile = z.infer<typeof CreateFile>;

export const FileProgress = z.object({
  id: Id,
  size: z.int(),
  /** Where to go on. The upload is complete when it is `size`. */
  offset: z.int(),
  /** The length of the pieces in which to upload; each begins at a multiple of it, unless `offset` says otherwise. */
  partSize: z.int(),
});
export type FileProgress = z.infer<typeof FileProgress>;

/** All in bytes of ciphertext, except `perMessage`. */
export const FileLimits = z.object({
  maxBytes: z.int(),
  quotaBytes: z.int(),
  /** What the caller's uploads take now, finished or not. */
  usedBytes: z.int(),
  /** Files on one message; with their thumbnails twice as many attachments. */
  perMessage: z.int(),
});
export type FileLimits = z.infer<typeof FileLimits>;

export const FileRef = z.object({ id: Id });
export type FileRef = z.infer<typeof FileRef>;

/** Names of the headers of `/files/:id`, in lower case. */
export const UPLOAD_OFFSET = 'upload-offset';
export const UPLOAD_LENGTH = 'upload-length';
