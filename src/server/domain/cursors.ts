/** Opaque page cursors: base64url of a short JSON array with a letter that says what they page through. */
import { ParleyError } from '#protocol/errors';

export const encodeCursor = (...parts: (string | number)[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');

/** BAD_REQUEST `bad_cursor` unless the cursor was made by `encodeCursor` with this letter. */
export function decodeCursor(cursor: string, letters: string): (string | number)[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parts) && typeof parts[0] === 'string' && parts[0].length === 1 && letters.includes(parts[0]))
      return parts as (string | number)[];
  } catch {
    // Falls through: not ours.
  }
  throw new ParleyError('BAD_REQUEST', 'bad_cursor');
}
