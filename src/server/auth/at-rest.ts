/**
 * One more lock on what the client has sealed already (wrapped master keys, keyrings): whoever steals only the database
 * has nothing to try passwords on. AES-256-GCM; the row's name is authenticated, so values cannot be swapped between rows.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export class AtRest {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** @param place e.g. `wrap|<user>|password`: where the value belongs */
  seal(place: string, plain: Uint8Array): Uint8Array {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(Buffer.from(place));
    const body = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), iv, body, cipher.getAuthTag()]);
  }

  /** @throws Error when it was changed, moved, or sealed with another key (a lost secrets file). */
  open(place: string, sealed: Uint8Array): Buffer {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    if (bytes[0] !== VERSION) throw new Error('unknown form of an encrypted column');
    const iv = bytes.subarray(1, 1 + IV_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, iv).setAAD(Buffer.from(place));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(1 + IV_BYTES, -TAG_BYTES)), decipher.final()]);
  }
}

export const wrapPlace = (userId: string, kind: 'password' | 'recovery') => `wrap|${userId}|${kind}`;
export const keyringPlace = (userId: string) => `keyring|${userId}`;
