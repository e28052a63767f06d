/** Identifiers on the wire: UUID strings in lower case. */
import { z } from 'zod';

/** Ids made by clients (users, conversations, messages, reactions) are UUIDv7 by convention; any UUID is accepted for all but users. */
export const Id = z.uuid().toLowerCase();
export type Id = z.infer<typeof Id>;

/** The user's id is named inside the signed identity record, so the client makes it (RFC 9562 section 5.7). */
export const UserId = z.uuidv7().toLowerCase();
