/** Web push: how a browser asks to be told outside of the page, and what it is then told. */
import { z } from 'zod';

/** base64url of exactly so many bytes; some browsers pad. */
const bytes = (length: number) =>
  z
    .string()
    .regex(new RegExp(`^[\\w-]{${Math.ceil((length * 4) / 3)}}=*$`))
    .transform((value) => value.replace(/=+$/, ''));

const endpoint = z.url({ protocol: /^https?$/ }).max(1_000);

/** What `PushSubscription.toJSON()` gives in a browser. */
export const Subscribe = z.object({
  endpoint,
  expirationTime: z.number().nullish(),
  /** RFC 8291: a P-256 point, uncompressed, and the 16 bytes of the shared secret. */
  keys: z.object({ p256dh: bytes(65), auth: bytes(16) }),
});
export const Unsubscribe = z.object({ endpoint });
export const PushKey = z.object({ publicKey: z.string() });

/**
 * What a push carries, as JSON, readable by the browser it is for. Nothing of it is plaintext of a message: the service
 * worker opens the envelope where the keys are at hand, and says "New message" where they are not.
 * The same message may come twice after a crash here: whoever shows it keeps the last ids.
 */
export interface PushPayload {
  readonly v: 1;
  readonly type: 'message';
  readonly conversationId: string;
  readonly messageId: string;
  readonly seq: number;
  readonly senderId: string;
  readonly keyEpoch: number;
  /** The envelope, base64; absent when it would not fit into a push. */
  readonly contentEncrypted?: string;
}
