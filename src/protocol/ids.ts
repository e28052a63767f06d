/** Identifiers on the wire: UUID strings in lower case. */
import { z } from 'zod';

/** Ids made by clients (users, conversations, messages, reactions) are UUIDv7 by convention; any UUID is accepted for all but users. */
export const Id = z.uuid().toLowerCase();
export type Id = z.infer<typeof Id>;

/** Counters that are 4-byte integers where they are stored: epochs, generations, versions of blobs. */
export const Counter = z.int().min(0).max(2_147_483_647);

/** The user's id is named inside the signed identity record, so the client makes it (RFC 9562 section 5.7). */
export const UserId = z.uuidv7().toLowerCase();
